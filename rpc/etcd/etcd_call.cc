#include "etcd/etcd_call.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <utility>

#include "base/status.h"
#include "base/string_view.h"
#include "pagewire/etcd.pb.h"

namespace pagewire::etcd {

absl::Status GatewayError(int code, std::string_view body) {
  constexpr size_t kShown = 80;
  const auto error = FromJson<Error>(body);
  // gRPC's codes and absl's are the same numbers; 0 would be no error.
  if (error.ok() && error->code() > 0 && error->code() <= 16) {
    return absl::Status(static_cast<absl::StatusCode>(error->code()), error->message());
  }
  return absl::UnavailableError(absl::StrCat("HTTP status ", code, ", and not from etcd: \"",
                                             absl::CHexEscape(base::ToAbsl(body.substr(0, kShown))), "\""));
}

EtcdCall::EtcdCall(CurlLoop& loop, Endpoints& endpoints, std::string_view path,
                   const google::protobuf::Message& request, absl::Duration timeout, Done done)
    : loop_(loop),
      endpoints_(endpoints),
      path_(path),
      body_(ToJson(request)),
      timeout_(timeout),
      done_(std::move(done)) {
  Try();
}

void EtcdCall::Try() {
  ++tried_;
  answer_.clear();
  post_ = std::make_unique<HttpPost>(
      loop_, endpoints_.options(), endpoints_.Url(path_), body_, timeout_,
      [this](std::string_view piece) { return Receive(piece); },
      [this](absl::StatusOr<int> code) { OnTried(std::move(code)); });
}

absl::Status EtcdCall::Receive(std::string_view piece) {
  if (answer_.size() + piece.size() > kMaxReplyBytes) {
    return absl::UnavailableError(absl::StrCat("the answer is longer than ", kMaxReplyBytes, " bytes"));
  }
  answer_.append(piece);
  return absl::OkStatus();
}

void EtcdCall::OnTried(absl::StatusOr<int> code) {
  constexpr int kHttpOk = 200;
  if (code.ok() && *code == kHttpOk) return std::exchange(done_, nullptr)(std::move(answer_));
  const absl::Status error = code.ok() ? GatewayError(*code, answer_) : code.status();
  if (!absl::IsUnavailable(error)) {
    return std::exchange(done_, nullptr)(base::Annotate(error, absl::StrCat("etcd at ", endpoints_.current())));
  }
  absl::StrAppend(&failures_, failures_.empty() ? "" : "; ", endpoints_.current(), ": ", error.message());
  endpoints_.UseNext();
  if (tried_ < endpoints_.count()) return Try();
  std::exchange(done_, nullptr)(absl::UnavailableError(absl::StrCat("no etcd answers: ", failures_)));
}

}  // namespace pagewire::etcd
