#include "security/secure_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

namespace pagewire::testing {

SecureServer::SecureServer(std::vector<std::shared_ptr<ServerInterceptor>> interceptors, bool mutual) {
  static std::atomic<int> count = 0;
  unix_target_ =
      "unix:" + ::testing::TempDir() + "pagewire-security-" + std::to_string(getpid()) + "-" + std::to_string(++count);
  const CertificateFiles files = authority_.Issue({.common_name = "server", .names = {"DNS:server.test"}});
  TlsServerOptions options;
  options.certificate_file = files.certificate;
  options.private_key_file = files.private_key;
  if (mutual) options.client_ca_file = trusted_;
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", TlsServerCredentials(options).value(), &tls_port_);
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &plain_port_);
  builder.AddListeningPort(unix_target_, InsecureServerCredentials());
  builder.RegisterService(&service_);
  for (auto& interceptor : interceptors) builder.AddInterceptor(std::move(interceptor));
  server_ = builder.BuildAndStart().value();
}

TlsChannelOptions SecureServer::Trusting() const {
  TlsChannelOptions options;
  options.ca_file = trusted_;
  options.server_name = "server.test";
  return options;
}

std::shared_ptr<ChannelCredentials> SecureServer::Credentials() const {
  return TlsChannelCredentials(Trusting()).value();
}

std::shared_ptr<ChannelCredentials> SecureServer::Credentials(const Subject& subject) {
  const CertificateFiles files = authority_.Issue(subject);
  TlsChannelOptions options = Trusting();
  options.certificate_file = files.certificate;
  options.private_key_file = files.private_key;
  return TlsChannelCredentials(options).value();
}

}  // namespace pagewire::testing
