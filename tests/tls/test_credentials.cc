#include "tls/test_credentials.h"

#include <cstdlib>
#include <string_view>

#include "tls/certificates.h"

namespace pagewire::testing {
namespace {

struct Pair {
  std::shared_ptr<ChannelCredentials> channel = InsecureChannelCredentials();
  std::shared_ptr<ServerCredentials> server = InsecureServerCredentials();
};

Pair MakePair() {
  Pair pair;
  if (!TestsUseTls()) return pair;
  Authority authority("pagewire test authority");
  const std::string trusted = WriteFile(authority.pem());
  const CertificateFiles server = authority.Issue({.common_name = "server", .names = {"DNS:server.test"}});
  const CertificateFiles client = authority.Issue({.common_name = "client", .names = {"DNS:client.test"}});
  TlsServerOptions server_options;
  server_options.certificate_file = server.certificate;
  server_options.private_key_file = server.private_key;
  server_options.client_ca_file = trusted;
  pair.server = TlsServerCredentials(server_options).value();
  TlsChannelOptions channel_options;
  channel_options.ca_file = trusted;
  channel_options.certificate_file = client.certificate;
  channel_options.private_key_file = client.private_key;
  channel_options.server_name = "server.test";  // whatever the address
  pair.channel = TlsChannelCredentials(channel_options).value();
  return pair;
}

const Pair& ThePair() {
  static const Pair pair = MakePair();
  return pair;
}

}  // namespace

bool TestsUseTls() {
  const char* const text = std::getenv("PAGEWIRE_TEST_TLS");
  return text != nullptr && std::string_view(text) == "1";
}

std::shared_ptr<ChannelCredentials> TestChannelCredentials() { return ThePair().channel; }

std::shared_ptr<ServerCredentials> TestServerCredentials() { return ThePair().server; }

}  // namespace pagewire::testing
