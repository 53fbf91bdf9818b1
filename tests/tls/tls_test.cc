// Calls over TLS: what a user sees of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <memory>
#include <string>

#include "blob.pagewire.h"
#include "integration/blob_service.h"
#include "tls/certificates.h"

namespace pagewire::testing {
namespace {

using test::Blob;
using test::BlobReply;
using test::BlobRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Remembers who called.
class Asking final : public Blob::Service {
 public:
  absl::StatusOr<BlobReply> Echo(ServerContext& context, const BlobRequest&) override {
    identity = context.peer_identity();
    return BlobReply();
  }
  PeerIdentity identity;
};

struct Running {
  std::unique_ptr<Server> server;
  std::string target;
};

Running Start(Service& service, std::shared_ptr<ServerCredentials> credentials,
              const std::string& address = "127.0.0.1:0") {
  int port = 0;
  ServerBuilder builder;
  builder.AddListeningPort(address, std::move(credentials), &port);
  builder.RegisterService(&service);
  Running running;
  running.server = builder.BuildAndStart().value();
  running.target = "ipv4:127.0.0.1:" + std::to_string(port);
  return running;
}

class TlsTest : public ::testing::Test {
 protected:
  TlsServerOptions ServerOptions(const CertificateFiles& files) const {
    TlsServerOptions options;
    options.certificate_file = files.certificate;
    options.private_key_file = files.private_key;
    return options;
  }
  TlsChannelOptions ChannelOptionsFor(const std::string& name) const {
    TlsChannelOptions options;
    options.ca_file = trusted_;
    options.server_name = name;
    return options;
  }
  absl::Status CallEcho(const std::string& target, const TlsChannelOptions& options) {
    Blob::Stub stub(CreateChannel(target, TlsChannelCredentials(options).value()));
    ClientContext context;
    return stub.Echo(context, BlobRequest()).status();
  }

  Authority authority_{"authority"};
  const std::string trusted_ = WriteFile(authority_.pem());
  const CertificateFiles server_files_ =
      authority_.Issue({.common_name = "the server", .names = {"DNS:server.test", "IP:127.0.0.1"}});
};

TEST_F(TlsTest, PayloadsArriveAndAreCopiedBecauseOfTls) {
  test::BlobService service;
  const Running running = Start(service, TlsServerCredentials(ServerOptions(server_files_)).value());
  TlsChannelOptions options;
  options.ca_file = trusted_;  // the name is the address
  Blob::Stub stub(CreateChannel(running.target, TlsChannelCredentials(options).value()));
  for (uint64_t size : {0, 1, 4096, 1'000'001, 20'000'000}) {
    SCOPED_TRACE(size);
    ClientContext context;
    const auto reply = stub.Swap(context, BlobRequest(), test::MakePayload(size, 3));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->message.hash(), test::ExpectedHash(size, 3));
    EXPECT_EQ(test::HashOf(reply->payload), test::ExpectedHash(size, 3));
    if (size < 1'000'000) continue;
    const CallTransferReport& report = context.transfer_report();
    EXPECT_EQ(report.sent.send_path, SendPath::kCopy);
    EXPECT_EQ(report.sent.copied(CopyReason::kTls), size - size % 4096);
    EXPECT_EQ(report.received.receive_path, ReceivePath::kCopy);
    EXPECT_EQ(report.received.copied(CopyReason::kTls), size - size % 4096);
  }
}

TEST_F(TlsTest, ServersKnowWhoCalls) {
  Asking service;
  TlsServerOptions server = ServerOptions(server_files_);
  server.client_ca_file = trusted_;
  server.client_names = {"other.test", "client.test"};
  const Running running = Start(service, TlsServerCredentials(server).value());
  const CertificateFiles client = authority_.Issue(
      {.common_name = "the client", .names = {"DNS:client.test", "DNS:b.test", "URI:spiffe://test/client"}});
  TlsChannelOptions options = ChannelOptionsFor("server.test");
  options.certificate_file = client.certificate;
  options.private_key_file = client.private_key;
  ASSERT_EQ(CallEcho(running.target, options), absl::OkStatus());
  EXPECT_TRUE(service.identity.encrypted);
  EXPECT_EQ(service.identity.common_name, "the client");
  EXPECT_THAT(service.identity.dns_names, ElementsAre("client.test", "b.test"));
  EXPECT_THAT(service.identity.uris, ElementsAre("spiffe://test/client"));
  EXPECT_EQ(service.identity.certificate_fingerprint.size(), 64u);
  EXPECT_FALSE(service.identity.process.has_value());
}

TEST_F(TlsTest, WithoutMutualTlsNobodyIsKnown) {
  Asking service;
  const Running running = Start(service, TlsServerCredentials(ServerOptions(server_files_)).value());
  ASSERT_EQ(CallEcho(running.target, ChannelOptionsFor("server.test")), absl::OkStatus());
  EXPECT_TRUE(service.identity.encrypted);
  EXPECT_EQ(service.identity.common_name, "");
  EXPECT_THAT(service.identity.dns_names, IsEmpty());
  EXPECT_EQ(service.identity.certificate_fingerprint, "");
}

TEST_F(TlsTest, TheKernelSaysWhoIsAtAUnixSocket) {
  Asking service;
  const std::string address = "unix:" + ::testing::TempDir() + "pagewire-peercred-" + std::to_string(getpid());
  const Running running = Start(service, InsecureServerCredentials(), address);
  Blob::Stub stub(CreateChannel(address, InsecureChannelCredentials()));
  ClientContext context;
  ASSERT_EQ(stub.Echo(context, BlobRequest()).status(), absl::OkStatus());
  ASSERT_TRUE(service.identity.process.has_value());
  EXPECT_EQ(service.identity.process->pid, getpid());
  EXPECT_EQ(service.identity.process->uid, getuid());
  EXPECT_EQ(service.identity.process->gid, getgid());
  EXPECT_FALSE(service.identity.encrypted);
}

TEST_F(TlsTest, ChangedCertificatesAreReadForNewConnections) {
  Asking service;
  const Running running = Start(service, TlsServerCredentials(ServerOptions(server_files_)).value());
  ASSERT_EQ(CallEcho(running.target, ChannelOptionsFor("server.test")), absl::OkStatus());

  // One after the other, so that for a moment they do not fit: what was read before stays in use.
  const CertificateFiles renewed = authority_.Issue({.common_name = "renewed", .names = {"DNS:renewed.test"}});
  ReplaceFile(server_files_.certificate, ReadFile(renewed.certificate));
  EXPECT_EQ(CallEcho(running.target, ChannelOptionsFor("server.test")), absl::OkStatus());
  ReplaceFile(server_files_.private_key, ReadFile(renewed.private_key));
  EXPECT_EQ(CallEcho(running.target, ChannelOptionsFor("renewed.test")), absl::OkStatus());
  EXPECT_EQ(CallEcho(running.target, ChannelOptionsFor("server.test")).code(), absl::StatusCode::kUnavailable);
}

TEST_F(TlsTest, WaitForReadyOutlastsHandshakesThatFail) {
  Asking service;
  const Running running = Start(service, TlsServerCredentials(ServerOptions(server_files_)).value());
  ChannelOptions options;
  options.initial_backoff = absl::Milliseconds(10);
  options.max_backoff = absl::Milliseconds(20);
  const auto channel =
      CreateCustomChannel(running.target, TlsChannelCredentials(ChannelOptionsFor("renewed.test")).value(), options);
  Blob::Stub stub(channel);
  ClientContext context;
  context.set_wait_for_ready(true);
  std::promise<absl::Status> end;
  stub.Callback().Echo(context, BlobRequest(), [&](const auto& reply) { end.set_value(reply.status()); });
  for (ConnectivityState state; (state = channel->GetState(false)) != ConnectivityState::kTransientFailure;) {
    channel->WaitForStateChange(state, absl::InfiniteFuture());
  }
  const CertificateFiles renewed = authority_.Issue({.common_name = "renewed", .names = {"DNS:renewed.test"}});
  ReplaceFile(server_files_.certificate, ReadFile(renewed.certificate));
  ReplaceFile(server_files_.private_key, ReadFile(renewed.private_key));
  EXPECT_EQ(end.get_future().get(), absl::OkStatus());
}

// A client that does nothing but change its keys would keep a loop busy.
TEST_F(TlsTest, AFloodOfKeyUpdatesEndsItsConnectionOnly) {
  Asking service;
  const Running running = Start(service, TlsServerCredentials(ServerOptions(server_files_)).value());
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> connection(BIO_new_ssl_connect(context.get()), BIO_free_all);
  SSL* ssl = nullptr;
  BIO_get_ssl(connection.get(), &ssl);
  const unsigned char protocol[] = "\x0apagewire/1";
  ASSERT_EQ(SSL_set_alpn_protos(ssl, protocol, sizeof(protocol) - 1), 0);
  BIO_set_conn_hostname(connection.get(), running.target.substr(5).c_str());
  ASSERT_EQ(BIO_do_handshake(connection.get()), 1);
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's sockets raise it
  int updates = 0;
  while (updates < 1'000'000 && SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1) {
    ++updates;
  }
  EXPECT_LT(updates, 1'000'000);
  EXPECT_EQ(CallEcho(running.target, ChannelOptionsFor("server.test")), absl::OkStatus());
}

TEST_F(TlsTest, FilesThatDoNotFitAreNamed) {
  const auto expect = [](const absl::Status& status, const std::string& text) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  };
  TlsServerOptions options = ServerOptions(server_files_);
  options.certificate_file = "/nowhere.pem";
  expect(TlsServerCredentials(options).status(), "TLS: certificate file \"/nowhere.pem\": No such file or directory");
  options = ServerOptions(server_files_);
  options.private_key_file = "";
  expect(TlsServerCredentials(options).status(), "TLS: private_key_file is empty");
  options.private_key_file = authority_.Issue({.common_name = "another"}).private_key;
  expect(TlsServerCredentials(options).status(), ".pem\": key values mismatch");
  options = ServerOptions(server_files_);
  options.client_ca_file = trusted_;
  for (const std::string name : {"", "10.0.0.1"}) {
    options.client_names = {"right.test", name};
    expect(TlsServerCredentials(options).status(), "\"" + name + "\" in client_names is no DNS name");
  }
  options = ServerOptions(server_files_);
  options.crl_file = "x";
  expect(TlsServerCredentials(options).status(), "which only client_ca_file asks for");
  TlsChannelOptions channel;
  channel.ca_file = WriteFile("no certificate");
  expect(TlsChannelCredentials(channel).status(), "TLS: certificate authorities file");
  channel = {};
  channel.crl_file = WriteFile("no list");
  expect(TlsChannelCredentials(channel).status(), "TLS: revocation list file");
}

}  // namespace
}  // namespace pagewire::testing
