#include "chaos_findings.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <utility>

namespace pagewire::bench {
namespace {

constexpr size_t kMostWrong = 20;

bool Fits(const Job& job, absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return job.end() == Job::OK;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnavailable:
      return true;
    case absl::StatusCode::kResourceExhausted:
      return job.end() == Job::STATUS;
    case absl::StatusCode::kInternal:
      return job.end() == Job::THROW;
    default:
      return false;
  }
}

}  // namespace

void ChaosFindings::Ended(const char* kind, const Job& job, const absl::Status& status, bool right) {
  {
    base::MutexLock lock(mutex_);
    ++calls_;
    ++endings_[absl::StrCat(kind, " ", absl::StatusCodeToString(status.code()))];
  }
  if (!Fits(job, status.code())) {
    Wrong(absl::StrCat(kind, " of ", job.ShortDebugString(), " ended with ", status.ToString()));
  } else if (status.ok() && !right) {
    Wrong(absl::StrCat(kind, " of ", job.ShortDebugString(), " brought something else"));
  }
}

void ChaosFindings::Wrong(std::string what) {
  base::MutexLock lock(mutex_);
  if (wrong_.size() < kMostWrong) wrong_.push_back(std::move(what));
}

std::string ChaosFindings::ToJson(uint64_t restarts) const {
  base::MutexLock lock(mutex_);
  std::vector<std::string> endings, wrong;
  for (const auto& [name, count] : endings_) endings.push_back(absl::StrCat("\"", name, "\": ", count));
  for (const std::string& what : wrong_) wrong.push_back(absl::StrCat("\"", absl::CEscape(what), "\""));
  return absl::StrCat("{\"calls\": ", calls_, ", \"restarts\": ", restarts, ", \"ended\": {",
                      absl::StrJoin(endings, ", "), "}, \"wrong\": [", absl::StrJoin(wrong, ", "), "]}");
}

bool ChaosFindings::fine() const {
  base::MutexLock lock(mutex_);
  return wrong_.empty() && calls_ > 0;
}

}  // namespace pagewire::bench
