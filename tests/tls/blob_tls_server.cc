// A server for checks from outside. Prints its TLS port, its plain port, and the file of the authority to be trusted;
// ends when its input does.
#include <iostream>
#include <string>

#include "integration/blob_service.h"
#include "tls/certificates.h"

int main() {
  using namespace pagewire;
  pagewire::testing::Authority authority("authority");
  const pagewire::testing::CertificateFiles files =
      authority.Issue({.common_name = "server", .names = {"DNS:server.test", "IP:127.0.0.1"}});
  TlsServerOptions options;
  options.certificate_file = files.certificate;
  options.private_key_file = files.private_key;
  test::BlobService service;
  int tls = 0;
  int plain = 0;
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", TlsServerCredentials(options).value(), &tls);
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &plain);
  builder.RegisterService(&service);
  const std::unique_ptr<Server> server = builder.BuildAndStart().value();
  std::cout << tls << " " << plain << " " << pagewire::testing::WriteFile(authority.pem()) << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
}
