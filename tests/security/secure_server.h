// A server with mutual TLS, a Unix socket and a plain port, and clients for it.
#pragma once

#include <pagewire/pagewire.h>

#include <memory>
#include <string>
#include <vector>

#include "integration/blob_service.h"
#include "tls/certificates.h"

namespace pagewire::testing {

class SecureServer {
 public:
  // Clients need certificates at the TLS port only with `mutual`.
  explicit SecureServer(std::vector<std::shared_ptr<ServerInterceptor>> interceptors = {}, bool mutual = false);

  // For ChannelCredentials; without a subject the client shows no certificate.
  std::shared_ptr<ChannelCredentials> Credentials() const;
  std::shared_ptr<ChannelCredentials> Credentials(const Subject& subject);

  int tls_port() const { return tls_port_; }
  int plain_port() const { return plain_port_; }
  std::string tls_target() const { return "ipv4:127.0.0.1:" + std::to_string(tls_port_); }
  std::string plain_target() const { return "ipv4:127.0.0.1:" + std::to_string(plain_port_); }
  const std::string& unix_target() const { return unix_target_; }
  Server& server() { return *server_; }
  Authority& authority() { return authority_; }

 private:
  TlsChannelOptions Trusting() const;

  Authority authority_{"authority"};
  const std::string trusted_ = WriteFile(authority_.pem());
  test::BlobService service_;
  int tls_port_ = 0;
  int plain_port_ = 0;
  std::string unix_target_;
  std::unique_ptr<Server> server_;
};

}  // namespace pagewire::testing
