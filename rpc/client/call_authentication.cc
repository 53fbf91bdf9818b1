#include "client/call_authentication.h"

#include <absl/strings/str_cat.h>
#include <pagewire/call_credentials.h>

#include <utility>

#include "base/status.h"
#include "base/string_view.h"
#include "client/client_call_state.h"
#include "transport/address.h"
#include "transport/credentials.h"
#include "wire/metadata.h"

namespace pagewire::client {
namespace {

std::string_view ServiceOf(std::string_view method) {
  const size_t slash = method.rfind('/');
  return slash == std::string_view::npos || slash == 0 ? std::string_view() : method.substr(1, slash - 1);
}

// Codes with which only handlers should end calls.
bool LooksLikeTheHandlers(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

absl::Status Refusal(const absl::Status& status) {
  if (!LooksLikeTheHandlers(status.code())) return base::Annotate(status, "call credentials");
  return absl::InternalError(absl::StrCat("call credentials failed with ", absl::StatusCodeToString(status.code()),
                                          ", which is not theirs to use: ", status.message()));
}

absl::Status Add(CallCredentials& credentials, const CallCredentialsRequest& request, Metadata& metadata) {
  absl::StatusOr<Metadata> given = credentials.GetMetadata(request);
  if (!given.ok()) return Refusal(given.status());
  for (const auto& [key, value] : *given) {
    if (absl::Status status = wire::ValidateUserMetadata(key, value); !status.ok()) return Refusal(status);
    metadata.emplace(key, value);
  }
  return absl::OkStatus();
}

absl::Status AddAll(const Method& method, const ChannelOptions& options, const ChannelSecurity& security,
                    internal::ClientCallState& state) {
  if (!security.confidential && !options.allow_call_credentials_on_plain_connections) {
    return absl::UnauthenticatedError(
        "call credentials are not sent over a connection without TLS; use TlsChannelCredentials, or set "
        "ChannelOptions::allow_call_credentials_on_plain_connections where everybody on the way may read them");
  }
  const CallCredentialsRequest request = {ServiceOf(method.name), method.name, security.server_name};
  Metadata given;
  for (CallCredentials* credentials : {options.call_credentials.get(), state.credentials.get()}) {
    if (credentials == nullptr) continue;
    if (absl::Status status = Add(*credentials, request, given); !status.ok()) return status;
  }
  state.metadata.merge(given);
  return absl::OkStatus();
}

}  // namespace

ChannelSecurity SecurityOf(std::string_view target, ChannelCredentials& credentials) {
  ChannelSecurity security;
  security.confidential = internal::CredentialsAccess::Tls(credentials) != nullptr;
  security.server_name = internal::CredentialsAccess::ServerName(credentials);
  if (!security.server_name.empty()) return security;
  if (absl::StatusOr<transport::Target> parsed = transport::ParseTarget(target); parsed.ok()) {
    security.server_name = std::move(parsed->host);
  }
  return security;
}

absl::Status Authenticate(const Method& method, const ChannelOptions& options, const ChannelSecurity& security,
                          internal::ClientCallState& state) {
  if (options.call_credentials == nullptr && state.credentials == nullptr) return absl::OkStatus();
  const absl::Status status = base::Annotate(AddAll(method, options, security, state), method.name);
  if (!status.ok()) state.not_started = true;
  return status;
}

}  // namespace pagewire::client
