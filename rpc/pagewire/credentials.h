// How a connection is secured, and how a client proves who it is.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

namespace pagewire {

namespace internal {
struct CredentialsAccess;
}  // namespace internal
namespace transport {
class TlsContext;
}  // namespace transport

// Immutable, shared by any number of channels or servers.
class ChannelCredentials {
 private:
  friend struct internal::CredentialsAccess;
  std::shared_ptr<transport::TlsContext> tls_;  // null: plain
  std::string server_name_;
};

class ServerCredentials {
 private:
  friend struct internal::CredentialsAccess;
  std::shared_ptr<transport::TlsContext> tls_;  // null: plain
};

// Plain TCP: no encryption, no identity. Use it on networks you trust.
std::shared_ptr<ChannelCredentials> InsecureChannelCredentials();
std::shared_ptr<ServerCredentials> InsecureServerCredentials();

// Files are PEM, keys without a passphrase. They are looked at again for every new connection, and read again when they
// have changed; where that fails, what was read before stays in use and a warning is logged. A file is best replaced by
// rename(2).

struct TlsChannelOptions {
  // Whose certificates are trusted. Empty: those that the system trusts (OpenSSL's default paths).
  std::string ca_file;

  // Certificates that have been revoked: one list (CRL) for each authority of the chain. Empty: none is asked about.
  std::string crl_file;

  // What the client shows of itself to servers that ask (mutual TLS): its certificate, then intermediate ones. Both or
  // neither.
  std::string certificate_file;
  std::string private_key_file;

  // The name, or IP address, that the server's certificate must be for, in its subjectAltName. Empty: the name in the
  // target; where that has addresses, or names came from a resolver, the address that was connected to.
  std::string server_name;
};

struct TlsServerOptions {
  std::string certificate_file;  // the server's, then intermediate ones
  std::string private_key_file;

  // Whose certificates clients must show: mutual TLS. Empty: clients are not asked for one.
  std::string client_ca_file;

  // As in TlsChannelOptions, for clients' certificates.
  std::string crl_file;

  // With client_ca_file: the certificate must be for one of these DNS names. Empty: any name will do. What else a
  // certificate says (pagewire/peer_identity.h), handlers, interceptors and authorizers can ask about.
  std::vector<std::string> client_names;
};

// TLS 1.3 with OpenSSL's default cipher suites, ALPN "pagewire/1" required on both sides; no tickets, no resumption, no
// early data. Payloads are copied then (CopyReason::kTls). Errors: INVALID_ARGUMENT names the file that cannot be read
// or does not fit, and what OpenSSL said. A connection that is refused is UNAVAILABLE, with the reason in its message.
absl::StatusOr<std::shared_ptr<ChannelCredentials>> TlsChannelCredentials(const TlsChannelOptions& options);
absl::StatusOr<std::shared_ptr<ServerCredentials>> TlsServerCredentials(const TlsServerOptions& options);

}  // namespace pagewire
