// Nothing that is secret is told: not in the log, not in a status, not in a metric, whatever goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pagewire/admin.h>
#include <pagewire/authorizer.h>
#include <pagewire/failure_log.h>
#include <pagewire/metrics.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/log_lines.h"
#include "admin/raw_http.h"
#include "admin/watched_calls.h"
#include "security/secure_server.h"

namespace pagewire::testing {
namespace {

using test::Blob;
using test::BlobRequest;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSecret[] = "very-secret-7f3a91";

// Everything that is told in a test is collected, and looked at in the end.
class SecretsTest : public ::testing::Test {
 protected:
  SecretsTest() {
    options_.interceptors = {std::make_shared<admin::CountsEnds<ClientInterceptor, ClientContext>>(client_ends_),
                             MakeClientMetrics(registry_).value(), MakeClientFailureLog()};
  }

  void TearDown() override {
    client_ends_->Await(calls_);
    server_ends_->Await(server_calls_);
    if (calls_ > 1) {
      EXPECT_THAT(log_.Lines(), ::testing::Contains(HasSubstr("call failed: side=client")));
    }
    if (server_calls_ > 1) {
      EXPECT_THAT(log_.Lines(), ::testing::Contains(HasSubstr("call failed: side=server")));
    }
    for (const std::string& line : log_.Lines()) EXPECT_THAT(line, Not(HasSubstr(kSecret)));
    for (const std::string& text : told_) EXPECT_THAT(text, Not(HasSubstr(kSecret)));
    EXPECT_THAT(registry_->PrometheusText(), Not(HasSubstr(kSecret)));
  }

  void Serve(std::vector<std::shared_ptr<ServerInterceptor>> more = {}) {
    std::vector<std::shared_ptr<ServerInterceptor>> interceptors = {
        std::make_shared<admin::CountsEnds<ServerInterceptor, ServerContext>>(server_ends_),
        MakeServerMetrics(registry_).value(), MakeServerFailureLog()};
    interceptors.insert(interceptors.end(), more.begin(), more.end());
    server_.emplace(std::move(interceptors));
  }

  absl::Status Tell(const absl::Status& status) {
    told_.push_back(status.ToString());
    return status;
  }
  absl::Status Call(const std::string& target, std::shared_ptr<ChannelCredentials> credentials,
                    const BlobRequest& request = {}) {
    Blob::Stub stub(CreateCustomChannel(target, std::move(credentials), options_));
    ClientContext context;
    context.AddMetadata("cookie", kSecret);
    ++calls_;
    return Tell(stub.Echo(context, request).status());
  }

  LogLines log_;
  std::vector<std::string> told_;
  const std::shared_ptr<admin::Ends> client_ends_ = std::make_shared<admin::Ends>();
  const std::shared_ptr<admin::Ends> server_ends_ = std::make_shared<admin::Ends>();
  int calls_ = 0;         // that clients have made
  int server_calls_ = 0;  // of these, those that came to the server's interceptors
  const std::shared_ptr<MetricsRegistry> registry_ = std::make_shared<MetricsRegistry>();
  ChannelOptions options_;
  std::optional<SecureServer> server_;
};

TEST_F(SecretsTest, CallsThatEndWellAndBadly) {
  Serve();
  options_.call_credentials = AccessTokenCallCredentials(kSecret);
  EXPECT_TRUE(Call(server_->tls_target(), server_->Credentials()).ok());
  BlobRequest request;
  request.set_code(static_cast<uint32_t>(absl::StatusCode::kAborted));
  request.set_text("failed on request");
  EXPECT_EQ(Call(server_->tls_target(), server_->Credentials(), request).code(), absl::StatusCode::kAborted);
  request.set_name("throw");
  EXPECT_FALSE(Call(server_->tls_target(), server_->Credentials(), request).ok());
  request.set_name("bad-metadata");
  EXPECT_FALSE(Call(server_->tls_target(), server_->Credentials(), request).ok());
  server_calls_ = 4;
}

TEST_F(SecretsTest, CallsThatAreNotMade) {
  Serve();
  options_.call_credentials = AccessTokenCallCredentials(kSecret);
  EXPECT_EQ(Call(server_->plain_target(), InsecureChannelCredentials()).code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Call(server_->plain_target(), server_->Credentials()).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Call("ipv4:127.0.0.1:1", server_->Credentials()).code(), absl::StatusCode::kUnavailable);
  TlsChannelOptions wrong;
  wrong.ca_file = WriteFile(Authority("another").pem());
  EXPECT_EQ(Call(server_->tls_target(), TlsChannelCredentials(wrong).value()).code(), absl::StatusCode::kUnavailable);
  options_.max_metadata_bytes = 20;
  EXPECT_EQ(Call(server_->tls_target(), server_->Credentials()).code(), absl::StatusCode::kResourceExhausted);
  options_.max_metadata_bytes = 1 << 20;
  options_.call_credentials = AccessTokenCallCredentials(kSecret + std::string(20'000, 'x'));
  EXPECT_EQ(Call(server_->tls_target(), server_->Credentials()).code(), absl::StatusCode::kResourceExhausted);
  options_.call_credentials = AccessTokenCallCredentials(kSecret + std::string("\n"));
  EXPECT_EQ(Call(server_->tls_target(), server_->Credentials()).code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(SecretsTest, CallsThatAPolicyRefuses) {
  const std::string path = WriteFile(std::string(R"({"name": "p",
    "deny_rules": [{"name": "d", "request": {"paths": ["*/Put"], "headers": [{"key": "cookie", "values": [")") +
                                     kSecret + R"("]}]}}],
    "allow_rules": [{"name": "a", "request": {"headers": [{"key": "authorization", "values": ["Bearer )" +
                                     kSecret + R"(other"]}]}}]})");
  Serve({PolicyFileAuthorizer(path).value()});
  options_.call_credentials = AccessTokenCallCredentials(kSecret);
  EXPECT_EQ(Call(server_->tls_target(), server_->Credentials()).code(), absl::StatusCode::kPermissionDenied);
  Blob::Stub stub(CreateCustomChannel(server_->tls_target(), server_->Credentials(), options_));
  ClientContext context;
  context.AddMetadata("cookie", kSecret);
  ++calls_;
  EXPECT_EQ(Tell(stub.Put(context, BlobRequest(), Payload()).status()).code(), absl::StatusCode::kPermissionDenied);
  server_calls_ = 2;
}

TEST_F(SecretsTest, PoliciesThatCannotBeRead) {
  for (const std::string text : {R"({"name": "p", "allow_rules": [{"name": "r", "request": {"headers": [{"key": "k",
                                     "values": ["very-secret-7f3a91"}]}}]})",
                                 "very-secret-7f3a91", R"({"name": "p", "allow_rules": "very-secret-7f3a91"})"}) {
    EXPECT_EQ(Tell(PolicyFileAuthorizer(WriteFile(text)).status()).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(SecretsTest, KeysThatCannotBeRead) {
  Authority authority("authority");
  const CertificateFiles files = authority.Issue({.common_name = "server"});
  TlsServerOptions options;
  options.certificate_file = files.certificate;
  for (const std::string& content : {std::string(kSecret), ReadFile(files.private_key).replace(60, 18, kSecret),
                                     std::string("-----BEGIN PRIVATE KEY-----\n") + kSecret}) {
    options.private_key_file = WriteFile(content);
    EXPECT_EQ(Tell(TlsServerCredentials(options).status()).code(), absl::StatusCode::kInvalidArgument);
  }
  options.private_key_file = files.private_key;
  options.client_ca_file = WriteFile(kSecret);
  EXPECT_EQ(Tell(TlsServerCredentials(options).status()).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SecretsTest, AKeyThatChangesIntoSomethingElse) {
  Serve();
  Authority authority("authority");
  const CertificateFiles files = authority.Issue({.common_name = "client"});
  TlsChannelOptions options;
  options.ca_file = WriteFile(server_->authority().pem());
  options.server_name = "server.test";
  options.certificate_file = files.certificate;
  options.private_key_file = files.private_key;
  const auto credentials = TlsChannelCredentials(options).value();
  ReplaceFile(files.private_key, std::string("-----BEGIN PRIVATE KEY-----\n") + kSecret);
  EXPECT_TRUE(Call(server_->tls_target(), credentials).ok());
  server_calls_ = 1;
  EXPECT_THAT(log_.Lines(), ::testing::Contains(HasSubstr("what was read before stays in use")));
}

// Whoever speaks another protocol to the port may send its secrets there by mistake.
TEST_F(SecretsTest, StrangersWhoSayTooMuch) {
  Serve();
  const std::string request =
      std::string("GET /?token=") + kSecret + " HTTP/1.1\r\nAuthorization: Bearer " + kSecret + "\r\n\r\n";
  for (const int port : {server_->tls_port(), server_->plain_port()}) {
    EXPECT_THAT(admin::Exchange(port, request), Not(HasSubstr(kSecret)));
  }
}

// OpenSSL would ask for it at the terminal, and wait.
TEST(EncryptedKeyTest, AKeyWithAPassphraseIsRefused) {
  Authority authority("authority");
  const CertificateFiles files = authority.Issue({.common_name = "server"});
  BIO* const plain = BIO_new_file(files.private_key.c_str(), "r");
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(plain, nullptr, nullptr, nullptr);
  BIO_free(plain);
  TlsServerOptions options;
  options.certificate_file = files.certificate;
  options.private_key_file = WriteFile("");
  BIO* const encrypted = BIO_new_file(options.private_key_file.c_str(), "w");
  ASSERT_EQ(
      PEM_write_bio_PKCS8PrivateKey(encrypted, key, EVP_aes_128_cbc(), kSecret, sizeof(kSecret) - 1, nullptr, nullptr),
      1);
  BIO_free(encrypted);
  EVP_PKEY_free(key);
  const absl::Status status = TlsServerCredentials(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("TLS: private key file \"" + options.private_key_file));
}

}  // namespace
}  // namespace pagewire::testing
