// What TLS connections are set up with: keys, certificates and whom to trust, from files that may change.
#pragma once

#include <absl/status/statusor.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace pagewire::transport {

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;
using SslContextPtr = std::unique_ptr<SSL_CTX, SslDeleter>;

// See pagewire/credentials.h for what the fields mean.
struct TlsFiles {
  bool server = false;
  std::string certificate_file = {};
  std::string private_key_file = {};
  std::string ca_file = {};
  std::string crl_file = {};
};

// The protocol's name in ALPN.
inline constexpr std::string_view kTlsProtocol = "pagewire/1";

// Thread-safe.
class TlsContext {
 public:
  // `peer_names`: of servers' clients; empty: any. INVALID_ARGUMENT: a file that cannot be read or does not fit.
  static absl::StatusOr<std::shared_ptr<TlsContext>> Load(TlsFiles files, std::vector<std::string> peer_names = {});

  // For one connection, with the files as they are now. `peer_name`: what the certificate of a client's peer must be
  // for, a DNS name or an IP address. UNAVAILABLE when OpenSSL has no memory, INVALID_ARGUMENT for a name it does not
  // take.
  absl::StatusOr<SslPtr> NewConnection(std::string_view peer_name);

  bool server() const { return files_.server; }

 private:
  // When a file was changed last, for each of them.
  using Stamps = std::vector<std::string>;

  TlsContext(TlsFiles files, std::vector<std::string> peer_names);
  Stamps Look() const;
  absl::StatusOr<SslContextPtr> Read() const;
  void ReadAgainIfChanged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TlsFiles files_;
  const std::vector<std::string> peer_names_;
  base::Mutex mutex_;
  Stamps stamps_ ABSL_GUARDED_BY(mutex_);
  Stamps warned_of_ ABSL_GUARDED_BY(mutex_);
  SslContextPtr context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::transport
