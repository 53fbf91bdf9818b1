#include "transport/credentials.h"

#include <utility>

namespace pagewire {

using internal::CredentialsAccess;
using transport::TlsContext;

std::shared_ptr<ChannelCredentials> InsecureChannelCredentials() { return std::make_shared<ChannelCredentials>(); }

std::shared_ptr<ServerCredentials> InsecureServerCredentials() { return std::make_shared<ServerCredentials>(); }

absl::StatusOr<std::shared_ptr<ChannelCredentials>> TlsChannelCredentials(const TlsChannelOptions& options) {
  transport::TlsFiles files;
  files.certificate_file = options.certificate_file;
  files.private_key_file = options.private_key_file;
  files.ca_file = options.ca_file;
  files.crl_file = options.crl_file;
  absl::StatusOr<std::shared_ptr<TlsContext>> context = TlsContext::Load(std::move(files));
  if (!context.ok()) return std::move(context).status();
  auto credentials = std::make_shared<ChannelCredentials>();
  CredentialsAccess::Tls(*credentials) = *std::move(context);
  CredentialsAccess::ServerName(*credentials) = options.server_name;
  return credentials;
}

absl::StatusOr<std::shared_ptr<ServerCredentials>> TlsServerCredentials(const TlsServerOptions& options) {
  if (options.client_ca_file.empty() && !(options.crl_file.empty() && options.client_names.empty())) {
    return absl::InvalidArgumentError(
        "TLS: crl_file and client_names are about clients' certificates, which only client_ca_file asks for");
  }
  transport::TlsFiles files;
  files.server = true;
  files.certificate_file = options.certificate_file;
  files.private_key_file = options.private_key_file;
  files.ca_file = options.client_ca_file;
  files.crl_file = options.crl_file;
  absl::StatusOr<std::shared_ptr<TlsContext>> context = TlsContext::Load(std::move(files), options.client_names);
  if (!context.ok()) return std::move(context).status();
  auto credentials = std::make_shared<ServerCredentials>();
  CredentialsAccess::Tls(*credentials) = *std::move(context);
  return credentials;
}

}  // namespace pagewire
