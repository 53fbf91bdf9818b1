#include "server/policy_file.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <pagewire/log.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/status.h"
#include "base/string_view.h"
#include "base/uninterrupted.h"
#include "base/unique_fd.h"

namespace pagewire::server {
namespace {

constexpr absl::Duration kBetweenLooks = absl::Seconds(1);

// Thousands of rules; and what each look may cost.
constexpr size_t kMostBytes = 1 << 20;

absl::Status Unreadable(int error) {
  return absl::InvalidArgumentError(absl::StrCat("it cannot be read: ", std::strerror(error)));
}

PolicyFile::Clock OrSteadyClock(PolicyFile::Clock clock) {
  if (clock != nullptr) return clock;
  return [] { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); };
}

bool Same(const absl::StatusOr<std::string>& one, const absl::StatusOr<std::string>& other) {
  return one.ok() && other.ok() ? *one == *other : one.status() == other.status();
}

}  // namespace

PolicyFile::PolicyFile(std::string path, Clock clock)
    : path_(std::move(path)), clock_(OrSteadyClock(std::move(clock))), seen_(Read()), looked_(clock_()) {}

absl::StatusOr<std::unique_ptr<PolicyFile>> PolicyFile::Open(std::string path, Clock clock) {
  std::unique_ptr<PolicyFile> file(new PolicyFile(std::move(path), std::move(clock)));
  absl::StatusOr<AuthorizationPolicy> policy = file->Parse(file->seen_);
  if (!policy.ok()) return std::move(policy).status();
  base::MutexLock lock(file->mutex_);
  file->policy_ = std::make_shared<const AuthorizationPolicy>(*std::move(policy));
  return file;
}

absl::StatusOr<std::string> PolicyFile::Read() const {
  // A FIFO would block, and is refused below.
  const base::UniqueFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return Unreadable(errno);
  struct stat found = {};
  if (fstat(fd.get(), &found) != 0) return Unreadable(errno);
  if (!S_ISREG(found.st_mode)) return absl::InvalidArgumentError("it is no regular file");
  std::string content(kMostBytes + 1, '\0');
  size_t size = 0;
  while (size < content.size()) {
    const ssize_t count =
        base::Uninterrupted([&] { return read(fd.get(), content.data() + size, content.size() - size); });
    if (count < 0) return Unreadable(errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > kMostBytes) {
    return absl::InvalidArgumentError(absl::StrCat("it is larger than the limit of ", kMostBytes, " bytes"));
  }
  content.resize(size);
  content.shrink_to_fit();
  return content;
}

absl::StatusOr<AuthorizationPolicy> PolicyFile::Parse(const absl::StatusOr<std::string>& content) const {
  absl::StatusOr<AuthorizationPolicy> policy =
      content.ok() ? AuthorizationPolicy::Parse(*content) : absl::StatusOr<AuthorizationPolicy>(content.status());
  if (policy.ok()) return policy;
  return base::Annotate(policy.status(), absl::StrCat("policy file \"", path_, "\""));
}

std::shared_ptr<const AuthorizationPolicy> PolicyFile::Current() {
  const absl::Duration now = clock_();
  {
    base::MutexLock lock(mutex_);
    if (looking_ || now - looked_ < kBetweenLooks) return policy_;
    looking_ = true;
    looked_ = now;
  }
  LookAgain();
  base::MutexLock lock(mutex_);
  looking_ = false;
  return policy_;
}

void PolicyFile::LookAgain() {
  absl::StatusOr<std::string> content = Read();
  if (Same(content, seen_)) return;
  seen_ = std::move(content);
  absl::StatusOr<AuthorizationPolicy> read = Parse(seen_);
  if (!read.ok()) {
    return Log(LogSeverity::kWarning,
               base::ToStd(absl::StrCat(read.status().message(), "; what was read before stays in use")));
  }
  const auto policy = std::make_shared<const AuthorizationPolicy>(*std::move(read));
  {
    base::MutexLock lock(mutex_);
    policy_ = policy;
  }
  Log(LogSeverity::kInfo, base::ToStd(absl::StrCat("policy file \"", path_, "\" was read again: policy \"",
                                                   policy->name, "\", ", policy->deny_rules.size(), " deny rules, ",
                                                   policy->allow_rules.size(), " allow rules")));
}

}  // namespace pagewire::server
