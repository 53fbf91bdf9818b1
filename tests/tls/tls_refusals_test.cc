// Who is refused, and what both sides are told: one row for each kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "blob.pagewire.h"
#include "integration/blob_service.h"
#include "tls/certificates.h"

namespace pagewire::testing {
namespace {

using test::Blob;
using test::BlobRequest;
using ::testing::HasSubstr;

// A server that wants clients' certificates, and a client that fits, both to be changed by the tests.
class TlsRefusals : public ::testing::Test {
 protected:
  TlsRefusals() {
    server_.certificate_file = server_files_.certificate;
    server_.private_key_file = server_files_.private_key;
    server_.client_ca_file = trusted_;
    client_.ca_file = trusted_;
    client_.server_name = "server.test";
    Show(authority_.Issue({.common_name = "client", .names = {"DNS:client.test"}}));
  }

  void Show(const CertificateFiles& files) {
    client_.certificate_file = files.certificate;
    client_.private_key_file = files.private_key;
  }

  std::string Serve(std::shared_ptr<ServerCredentials> credentials) {
    int port = 0;
    ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", std::move(credentials), &port);
    builder.RegisterService(&service_);
    running_ = builder.BuildAndStart().value();
    return "ipv4:127.0.0.1:" + std::to_string(port);
  }

  absl::Status Call() {
    return CallWith(TlsServerCredentials(server_).value(), TlsChannelCredentials(client_).value());
  }
  absl::Status CallWith(std::shared_ptr<ServerCredentials> server, std::shared_ptr<ChannelCredentials> client) {
    Blob::Stub stub(CreateChannel(Serve(std::move(server)), std::move(client)));
    ClientContext context;
    const absl::Status status = stub.Echo(context, BlobRequest()).status();
    not_started_ = context.not_started();
    return status;
  }

  void ExpectRefused(const absl::Status& status, const std::string& text) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  Authority authority_{"root"};
  Authority other_{"other root"};
  const std::string trusted_ = WriteFile(authority_.pem());
  const CertificateFiles server_files_ = authority_.Issue({.common_name = "server", .names = {"DNS:server.test"}});
  test::BlobService service_;
  std::unique_ptr<Server> running_;
  bool not_started_ = false;
  TlsServerOptions server_;
  TlsChannelOptions client_;
};

TEST_F(TlsRefusals, TheRightOnesAreNot) { EXPECT_EQ(Call(), absl::OkStatus()); }

TEST_F(TlsRefusals, ClientWithoutCertificate) {
  client_.certificate_file = client_.private_key_file = "";
  ExpectRefused(Call(), "the server wants a certificate of the client and got none");
}

TEST_F(TlsRefusals, ClientWithExpiredCertificate) {
  Show(authority_.Issue(
      {.common_name = "old", .from = absl::Now() - absl::Hours(48), .until = absl::Now() - absl::Hours(24)}));
  ExpectRefused(Call(), "the peer refused the client's certificate: certificate expired");
}

TEST_F(TlsRefusals, ClientOfUnknownAuthority) {
  Show(other_.Issue({.common_name = "stranger"}));
  ExpectRefused(Call(), "the peer refused the client's certificate: unknown CA");
}

TEST_F(TlsRefusals, ClientWithWrongName) {
  server_.client_names = {"client.example"};
  ExpectRefused(Call(), "the peer refused the client's certificate: bad certificate");
}

TEST_F(TlsRefusals, ClientWhoseAuthorityIsRevoked) {
  Authority middle("middle", &authority_);
  Show(middle.Issue({.common_name = "client"}));
  server_.crl_file = WriteFile(authority_.RevocationListPem() + middle.RevocationListPem());
  EXPECT_EQ(Call(), absl::OkStatus());
  authority_.Revoke(middle);
  ReplaceFile(server_.crl_file, authority_.RevocationListPem() + middle.RevocationListPem());
  ExpectRefused(Call(), "the peer refused the client's certificate: certificate revoked");
}

TEST_F(TlsRefusals, ClientWhoseCertificateIsRevokedWhileTheServerRuns) {
  server_.crl_file = WriteFile(authority_.RevocationListPem());
  const std::string target = Serve(TlsServerCredentials(server_).value());
  const auto call = [&] {
    Blob::Stub stub(CreateChannel(target, TlsChannelCredentials(client_).value()));
    ClientContext context;
    return stub.Echo(context, BlobRequest()).status();
  };
  EXPECT_EQ(call(), absl::OkStatus());
  authority_.Revoke({client_.certificate_file, client_.private_key_file});
  ReplaceFile(server_.crl_file, authority_.RevocationListPem());
  ExpectRefused(call(), "the peer refused the client's certificate: certificate revoked");
}

TEST_F(TlsRefusals, ServerWithWrongName) {
  client_.server_name = "elsewhere.test";
  const absl::Status status = Call();
  ExpectRefused(status, "the server's certificate (CN=server, server.test) is refused");
  ExpectRefused(status,
                "it is not for \"elsewhere.test\": connect by a name it has, or set "
                "TlsChannelOptions::server_name");
  EXPECT_TRUE(not_started_) << "nothing was sent that the server could have run";
}

TEST_F(TlsRefusals, ServerWithItsNameInTheSubjectOnly) {
  const CertificateFiles files = authority_.Issue({.common_name = "server.test"});
  server_.certificate_file = files.certificate;
  server_.private_key_file = files.private_key;
  ExpectRefused(Call(), "it is not for \"server.test\"");
  EXPECT_TRUE(not_started_) << "nothing was sent that the server could have run";
}

TEST_F(TlsRefusals, ServerWithWrongAddress) {
  client_.server_name = "";
  ExpectRefused(Call(), "it is not for \"127.0.0.1\"");
  EXPECT_TRUE(not_started_) << "nothing was sent that the server could have run";
}

TEST_F(TlsRefusals, ServerWithExpiredCertificate) {
  const CertificateFiles old = authority_.Issue({.common_name = "old server",
                                                 .names = {"DNS:server.test"},
                                                 .from = absl::Now() - absl::Hours(48),
                                                 .until = absl::Now() - absl::Hours(24)});
  server_.certificate_file = old.certificate;
  server_.private_key_file = old.private_key;
  ExpectRefused(Call(), "the server's certificate (CN=old server, server.test) is refused: certificate has expired");
  EXPECT_TRUE(not_started_) << "nothing was sent that the server could have run";
}

TEST_F(TlsRefusals, ServerOfUnknownAuthority) {
  client_.ca_file = WriteFile(other_.pem());
  ExpectRefused(Call(), "its issuer is not in TlsChannelOptions::ca_file");
  EXPECT_TRUE(not_started_) << "nothing was sent that the server could have run";
}

TEST_F(TlsRefusals, ServerWhoseCertificateIsRevoked) {
  authority_.Revoke(server_files_);
  client_.crl_file = WriteFile(authority_.RevocationListPem());
  ExpectRefused(Call(), "is refused: certificate revoked");
  EXPECT_TRUE(not_started_) << "nothing was sent that the server could have run";
}

TEST_F(TlsRefusals, PlainClientAtATlsPort) {
  ExpectRefused(CallWith(TlsServerCredentials(server_).value(), InsecureChannelCredentials()),
                "the peer speaks TLS (an alert record); this side speaks Pagewire without TLS");
}

TEST_F(TlsRefusals, TlsClientAtAPlainPort) {
  ExpectRefused(CallWith(InsecureServerCredentials(), TlsChannelCredentials(client_).value()),
                "the server speaks Pagewire without TLS");
  EXPECT_TRUE(not_started_) << "nothing was sent that the server could have run";
}

}  // namespace
}  // namespace pagewire::testing
