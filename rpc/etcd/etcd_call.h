// One question to etcd with one answer.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "etcd/curl_loop.h"
#include "etcd/endpoints.h"
#include "etcd/http_post.h"
#include "etcd/json.h"

namespace pagewire::etcd {

// The answers of names have some 200 bytes per server. Beyond this the peer is no etcd, or one that nobody can use.
inline constexpr size_t kMaxReplyBytes = 16 << 20;

// `body` is what came with HTTP's status `code`, which is not 200. The error that etcd put there; UNAVAILABLE if it did
// not.
absl::Status GatewayError(int code, std::string_view body);

// What the current endpoint answered to an EtcdCall. UNAVAILABLE when that is something else.
template <typename Reply>
absl::StatusOr<Reply> ReadReply(const Endpoints& endpoints, std::string_view json) {
  absl::StatusOr<Reply> reply = FromJson<Reply>(json);
  if (reply.ok()) return reply;
  return absl::UnavailableError(absl::StrCat("etcd at ", endpoints.current(), ": ", reply.status().message()));
}

// Asks the current endpoint, and those after it, each once, while one cannot be reached or cannot answer now. Lives on
// the loop; destruction cancels.
class EtcdCall final {
 public:
  // The answer's JSON, or an error. UNAVAILABLE: no endpoint has answered; it says what was the matter with each.
  // Otherwise what etcd said.
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

  // `done` runs once on the loop, never inside the constructor, and may destroy the call. `endpoints` outlives it;
  // afterwards its current one is the one that answered. `path`: "/v3/kv/range". `timeout` is for each endpoint.
  EtcdCall(CurlLoop& loop, Endpoints& endpoints, std::string_view path, const google::protobuf::Message& request,
           absl::Duration timeout, Done done);

 private:
  void Try();
  void OnTried(absl::StatusOr<int> code);
  absl::Status Receive(std::string_view piece);

  CurlLoop& loop_;
  Endpoints& endpoints_;
  const std::string path_;
  const std::string body_;
  const absl::Duration timeout_;
  Done done_;
  size_t tried_ = 0;
  std::string failures_;
  std::string answer_;
  std::unique_ptr<HttpPost> post_;
};

}  // namespace pagewire::etcd
