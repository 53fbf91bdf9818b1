#include "etcd/watch.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <utility>

#include "base/status.h"
#include "etcd/etcd_call.h"
#include "etcd/json.h"

namespace pagewire::etcd {
namespace {

constexpr int kHttpOk = 200;

std::string CreateRequest(const std::string& key, const std::string& range_end, int64_t revision) {
  WatchRequest request;
  WatchCreateRequest& create = *request.mutable_create_request();
  create.set_key(key);
  create.set_range_end(range_end);
  create.set_start_revision(revision);
  return ToJson(request);
}

}  // namespace

Watch::Watch(CurlLoop& loop, const Endpoints& endpoints, const std::string& key, const std::string& range_end,
             int64_t revision, OnResponse on_response, Done done)
    : endpoint_(endpoints.current()),
      on_response_(std::move(on_response)),
      done_(std::move(done)),
      post_(
          loop, endpoints.options(), endpoints.Url("/v3/watch"), CreateRequest(key, range_end, revision),
          absl::InfiniteDuration(), [this](std::string_view piece) { return Receive(piece); },
          [this](absl::StatusOr<int> code) { OnEnded(std::move(code)); }) {}

absl::Status Watch::Receive(std::string_view piece) {
  const bool lines = post_.http_code() == kHttpOk;
  for (size_t end; lines && (end = piece.find('\n')) != piece.npos; piece.remove_prefix(end + 1)) {
    unread_.append(piece.substr(0, end));
    absl::Status read = Read(std::exchange(unread_, ""));
    if (!read.ok()) return read;
  }
  if (unread_.size() + piece.size() > kMaxReplyBytes) {
    return absl::UnavailableError(absl::StrCat("a change is longer than ", kMaxReplyBytes, " bytes"));
  }
  unread_.append(piece);
  return absl::OkStatus();
}

absl::Status Watch::Read(std::string_view line) {
  const auto reply = FromJson<WatchReply>(line);
  if (!reply.ok()) return absl::UnavailableError(reply.status().message());
  if (reply->has_error()) {
    return absl::UnavailableError(absl::StrCat("etcd ended the watch: ", reply->error().message()));
  }
  const WatchResponse& response = reply->result();
  if (response.compact_revision() != 0) {
    return absl::OutOfRangeError(
        absl::StrCat("etcd has forgotten what was before revision ", response.compact_revision()));
  }
  if (response.canceled()) {
    return absl::UnavailableError(absl::StrCat("etcd ended the watch: ", response.cancel_reason()));
  }
  on_response_(response);
  return absl::OkStatus();
}

void Watch::OnEnded(absl::StatusOr<int> code) {
  absl::Status why = code.status();
  if (code.ok()) {
    why = *code == kHttpOk ? absl::UnavailableError("the watch has ended") : GatewayError(*code, unread_);
  }
  std::exchange(done_, nullptr)(base::Annotate(why, absl::StrCat("etcd at ", endpoint_)));
}

}  // namespace pagewire::etcd
