// What a client shows of itself with each call: a token in the call's metadata.
#pragma once

#include <pagewire/metadata.h>

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>

namespace pagewire {

// The call that wants metadata. The views are valid until GetMetadata returns.
struct CallCredentialsRequest {
  std::string_view service;  // "package.Service"
  std::string_view method;   // "/package.Service/Method"

  // Whom the metadata is for: TlsChannelOptions::server_name, or the name in the target. Empty where there is none: a
  // target of addresses, a Unix socket, a server in this process. Over TLS the server has to prove that it has this
  // name before it is sent anything.
  std::string_view server_name;
};

// Used by ChannelOptions::call_credentials and ClientContext::set_credentials. Where both are set, the metadata of both
// is sent, the channel's before the context's, also under one key (as in gRPC).
//
// They are sent over TLS and within the process only. On other channels, Unix sockets included, calls end with
// UNAUTHENTICATED before anything is sent, unless ChannelOptions::allow_call_credentials_on_plain_connections.
class CallCredentials {
 public:
  virtual ~CallCredentials() = default;

  // What to add to the metadata of a call that is about to be made; asked once for each call, after the channel's
  // interceptors, which see nothing of it. On the thread that makes the call, also on several at once; that may be a
  // loop of the library's, so it must not block: fetch what takes time beforehand, on a thread of your own.
  //
  // An error ends the call, not started: with the same code (UNAVAILABLE if another attempt may succeed,
  // UNAUTHENTICATED if not) and the same message, in which there should be no secrets. Codes that would look like the
  // handler's (INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, DATA_LOSS)
  // become INTERNAL (gRPC's proposal A54), and so do pairs that pagewire/metadata.h does not allow, none of which is
  // shown.
  virtual absl::StatusOr<Metadata> GetMetadata(const CallCredentialsRequest& request) = 0;
};

// "authorization: Bearer `token`" (RFC 6750), for a token that does not change. One that is empty, or has other
// characters than printable ASCII without blanks (the end of a line, say), ends calls with UNAUTHENTICATED.
std::shared_ptr<CallCredentials> AccessTokenCallCredentials(std::string token);

}  // namespace pagewire
