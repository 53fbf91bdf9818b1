// The cases that implementations of gRPC are tested with against each other, for unary calls; those of streams are in
// stream_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pagewire/pagewire.h>
#include <sys/socket.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/latch.h"
#include "base/own_host.h"
#include "base/unique_fd.h"
#include "integration/blob_service.h"
#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using test::Blob;
using test::BlobReply;
using test::BlobRequest;
using ::testing::HasSubstr;

class InteropTest : public ::testing::Test {
 protected:
  void SetUp() override { StartServer(); }

  // "host:port", of this process alone.
  std::string address() const { return pagewire::testing::OwnHost() + ":" + std::to_string(port_); }

  // Where it was before, if it was.
  void StartServer() {
    ServerBuilder builder;
    builder.AddListeningPort(address(), pagewire::testing::TestServerCredentials(), &port_);
    builder.RegisterService(&service_);
    absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::shared_ptr<Channel> MakeChannel(const ChannelOptions& options = ChannelOptions()) {
    return CreateCustomChannel("ipv4:" + address(), pagewire::testing::TestChannelCredentials(), options);
  }

  test::BlobService service_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

TEST_F(InteropTest, EmptyUnary) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  absl::StatusOr<BlobReply> reply = stub.Echo(context, BlobRequest());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->ByteSizeLong(), 0u);
}

// gRPC's case sends 271,828 bytes and asks for 314,159; here they travel as messages, and beside them as payloads.
TEST_F(InteropTest, LargeUnary) {
  Blob::Stub stub(MakeChannel());
  ClientContext message_context;
  BlobRequest request;
  request.set_name(std::string(271'828, 'x'));
  absl::StatusOr<BlobReply> reply = stub.Echo(message_context, request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->name(), request.name());

  ClientContext put_context;
  reply = stub.Put(put_context, BlobRequest(), test::MakePayload(271'828, 1));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->hash(), test::ExpectedHash(271'828, 1));

  ClientContext get_context;
  request.Clear();
  request.set_size(314'159);
  absl::StatusOr<WithPayload<BlobReply>> got = stub.Get(get_context, request);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(test::HashOf(got->payload), test::ExpectedHash(314'159, 0));
}

TEST_F(InteropTest, TimeoutOnSleepingServer) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.set_timeout(absl::Milliseconds(1));
  BlobRequest request;
  request.set_sleep_ms(60'000);
  EXPECT_EQ(stub.Echo(context, request).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(InteropTest, CustomMetadata) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  const std::string binary("\0\x01\xab\xff", 4);
  context.AddMetadata("x-test-echo-initial", "test_initial_metadata_value");
  context.AddMetadata("x-test-echo-trailing-bin", binary);
  context.AddMetadata("x-twice", "one");
  context.AddMetadata("x-twice", "two");
  BlobRequest request;
  request.set_name("a name");
  ASSERT_TRUE(stub.Echo(context, request).ok());
  EXPECT_EQ(context.GetServerInitialMetadata().find("served-by")->second, "blob");
  const Metadata& trailing = context.GetServerTrailingMetadata();
  EXPECT_EQ(trailing.find("echo-x-test-echo-initial")->second, "test_initial_metadata_value");
  EXPECT_EQ(trailing.find("echo-x-test-echo-trailing-bin")->second, binary);
  EXPECT_EQ(trailing.count("echo-x-twice"), 2u);
  EXPECT_EQ(trailing.find("seen-name-bin")->second, "a name");
}

TEST_F(InteropTest, MetadataOutOfRange) {
  Blob::Stub stub(MakeChannel());
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "no key"},       {"Upper", "case"},      {"with space", "x"}, {"colon:", "x"},
      {"key", "new\nline"}, {"key", "caf\xc3\xa9"}, {"key\xff", "value"}};
  for (const auto& [key, value] : wrong) {
    ClientContext context;
    context.AddMetadata(key, value);
    EXPECT_EQ(stub.Echo(context, BlobRequest()).status().code(), absl::StatusCode::kInvalidArgument) << key;
  }
  ClientContext large;
  large.AddMetadata("key", std::string(20'000, 'v'));
  EXPECT_EQ(stub.Echo(large, BlobRequest()).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(InteropTest, StatusCodeAndMessage) {
  Blob::Stub stub(MakeChannel());
  for (int code = 1; code <= 16; ++code) {
    ClientContext context;
    BlobRequest request;
    request.set_code(code);
    request.set_text("test status message");
    const absl::Status status = stub.Echo(context, request).status();
    EXPECT_EQ(status.code(), static_cast<absl::StatusCode>(code));
    EXPECT_EQ(status.message(), "test status message");
    EXPECT_TRUE(status.GetPayload("type.example/detail").has_value()) << "details travel with it";
  }
}

TEST_F(InteropTest, SpecialStatusMessage) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  BlobRequest request;
  request.set_code(2);
  request.set_text("\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n");
  EXPECT_EQ(stub.Echo(context, request).status().message(), request.text());
}

TEST_F(InteropTest, UnimplementedMethod) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  EXPECT_EQ(stub.Missing(context, BlobRequest()).status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(InteropTest, UnimplementedService) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const absl::Status status = stub.Echo(context, Item(), Payload()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no service for /pagewire.semantics.Semantics/Echo"));
  EXPECT_TRUE(context.not_started());
}

TEST_F(InteropTest, CancelAfterBegin) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  std::promise<absl::Status> end;
  BlobRequest request;
  request.set_sleep_ms(60'000);
  stub.Callback().Echo(context, request, [&](absl::StatusOr<BlobReply> reply) { end.set_value(reply.status()); });
  context.TryCancel();
  EXPECT_EQ(end.get_future().get().code(), absl::StatusCode::kCancelled);
}

TEST_F(InteropTest, Soak) {
  Blob::Stub stub(MakeChannel());
  for (uint64_t i = 0; i < 1000; ++i) {
    ClientContext context;
    absl::StatusOr<BlobReply> reply = stub.Put(context, BlobRequest(), test::MakePayload(i * 37, i));
    ASSERT_TRUE(reply.ok()) << i << ": " << reply.status();
    ASSERT_EQ(reply->hash(), test::ExpectedHash(i * 37, i));
  }
}

TEST_F(InteropTest, ChannelSoak) {
  for (uint64_t i = 0; i < 100; ++i) {
    Blob::Stub stub(MakeChannel());
    ClientContext context;
    ASSERT_TRUE(stub.Put(context, BlobRequest(), test::MakePayload(5000, i)).ok()) << i;
  }
}

TEST_F(InteropTest, ConcurrentLargeUnary) {
  Blob::Stub stub(MakeChannel());
  std::vector<std::thread> callers;
  for (uint64_t i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      for (uint64_t k = 0; k < 10; ++k) {
        ClientContext context;
        absl::StatusOr<WithPayload<BlobReply>> reply =
            stub.Swap(context, BlobRequest(), test::MakePayload(1'000'000, i));
        ASSERT_TRUE(reply.ok()) << reply.status();
        ASSERT_EQ(test::HashOf(reply->payload), test::ExpectedHash(1'000'000, i));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_F(InteropTest, WaitForReady) {
  ChannelOptions options;
  options.initial_backoff = absl::Milliseconds(10);
  options.max_backoff = absl::Milliseconds(20);
  const auto channel = MakeChannel(options);
  Blob::Stub stub(channel);
  server_->Shutdown(absl::Now());
  server_.reset();
  ClientContext impatient;
  EXPECT_EQ(stub.Echo(impatient, BlobRequest()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(impatient.not_started());
  ClientContext context;
  context.set_wait_for_ready(true);
  std::promise<absl::Status> end;
  stub.Callback().Echo(context, BlobRequest(), [&](absl::StatusOr<BlobReply> reply) { end.set_value(reply.status()); });
  StartServer();
  EXPECT_EQ(end.get_future().get(), absl::OkStatus());
}

// A port that takes connections, and says nothing.
class SilentPort {
 public:
  SilentPort() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_.get(), name, length), 0);
    EXPECT_EQ(listen(fd_.get(), 1), 0);
    EXPECT_EQ(getsockname(fd_.get(), name, &length), 0);
    port_ = ntohs(address.sin_port);
  }

  // Waits for a connection and closes it.
  void HangUp() { base::UniqueFd(accept(fd_.get(), nullptr, nullptr)).Reset(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  const base::UniqueFd fd_{socket(AF_INET, SOCK_STREAM, 0)};
  int port_ = 0;
};

// A connection is not a server: somebody in between may have taken it.
TEST_F(InteropTest, WaitForReadyOutlastsConnectionsThatComeToNothing) {
  ChannelOptions options;
  options.initial_backoff = absl::Milliseconds(10);
  options.max_backoff = absl::Milliseconds(20);
  SilentPort port;
  Blob::Stub stub(CreateCustomChannel("ipv4:" + port.address() + "," + address(),
                                      pagewire::testing::TestChannelCredentials(), options));
  ClientContext impatient;
  std::promise<absl::Status> impatient_end;
  stub.Callback().Echo(impatient, BlobRequest(), [&](const auto& reply) { impatient_end.set_value(reply.status()); });
  ClientContext patient;
  patient.set_wait_for_ready(true);
  std::promise<absl::Status> patient_end;
  stub.Callback().Echo(patient, BlobRequest(), [&](const auto& reply) { patient_end.set_value(reply.status()); });
  port.HangUp();
  EXPECT_EQ(impatient_end.get_future().get().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(patient_end.get_future().get(), absl::OkStatus()) << "by the other address, which is the next one tried";
}

TEST_F(InteropTest, WaitForReadyEndsAtItsDeadline) {
  server_->Shutdown(absl::Now());
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.set_wait_for_ready(true);
  context.set_timeout(absl::Milliseconds(50));
  EXPECT_EQ(stub.Echo(context, BlobRequest()).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(context.not_started());
}

TEST_F(InteropTest, DeadlinesInThePastAndAbsurdOnes) {
  Blob::Stub stub(MakeChannel());
  for (const absl::Time past : {absl::InfinitePast(), absl::UnixEpoch(), absl::Now()}) {
    ClientContext context;
    context.set_deadline(past);
    EXPECT_EQ(stub.Echo(context, BlobRequest()).status().code(), absl::StatusCode::kDeadlineExceeded);
  }
  for (const absl::Time future : {absl::InfiniteFuture(), absl::Now() + absl::Hours(24 * 365 * 10'000)}) {
    ClientContext context;
    context.set_deadline(future);
    EXPECT_TRUE(stub.Echo(context, BlobRequest()).ok());
  }
}

TEST_F(InteropTest, ADeadlineBeforeTheServerHasSaidAnything) {
  SilentPort silent;
  ChannelOptions options;
  options.max_metadata_bytes = 100'000;
  Blob::Stub stub(
      CreateCustomChannel("ipv4:" + silent.address(), pagewire::testing::TestChannelCredentials(), options));
  ClientContext context;
  context.set_timeout(absl::Milliseconds(50));
  EXPECT_EQ(stub.Echo(context, BlobRequest()).status().code(), absl::StatusCode::kDeadlineExceeded);
  // A call that must know first whether the server takes so much metadata, and never learns it.
  ClientContext large;
  large.AddMetadata("key", std::string(50'000, 'v'));
  std::promise<absl::Status> end;
  stub.Callback().Echo(large, BlobRequest(), [&](const auto& reply) { end.set_value(reply.status()); });
  silent.HangUp();
  EXPECT_EQ(end.get_future().get().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(large.not_started());
}

TEST_F(InteropTest, ADeadlineThatPassesAfterTheAnswerIsNothing) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.set_timeout(absl::Seconds(1));
  absl::StatusOr<BlobReply> reply = stub.Echo(context, BlobRequest());
  EXPECT_TRUE(reply.ok()) << reply.status();
  context.TryCancel();
  ClientContext next;
  EXPECT_TRUE(stub.Echo(next, BlobRequest()).ok());
}

TEST_F(InteropTest, MessageSizeLimitsAtEachSide) {
  ChannelOptions options;
  options.max_message_bytes = 1000;
  Blob::Stub stub(MakeChannel(options));
  ClientContext response_context;
  BlobRequest request;
  request.set_name(std::string(2000, 'x'));
  const absl::Status response = stub.Echo(response_context, request).status();
  EXPECT_EQ(response.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(response.message()), HasSubstr("raise ChannelOptions::max_message_bytes"));
  request.set_name(std::string(5 << 20, 'x'));
  ClientContext request_context;
  const absl::Status refused = stub.Echo(request_context, request).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("raise ServerBuilder::SetMaxMessageBytes"));
}

TEST_F(InteropTest, DrainLetsCallsFinishAndRefusesLaterOnes) {
  Blob::Stub stub(MakeChannel());
  ClientContext warm;
  ASSERT_TRUE(stub.Echo(warm, BlobRequest()).ok());
  ClientContext context;
  std::promise<absl::Status> end;
  BlobRequest request;
  request.set_sleep_ms(60'000);
  stub.Callback().Keep(context, request, test::MakePayload(1000, 1),
                       [&](absl::StatusOr<BlobReply> reply) { end.set_value(reply.status()); });
  while (HeldBytes() == 0) std::this_thread::yield();
  std::thread stopper([&] { server_->Shutdown(absl::Now() + absl::Seconds(60)); });
  for (;;) {
    ClientContext later;
    const absl::Status status = stub.Echo(later, BlobRequest()).status();
    if (status.ok()) continue;
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_TRUE(later.not_started());
    break;
  }
  // The handler's payload came before the go-away, so the call is one that finishes.
  service_.Release();
  EXPECT_EQ(end.get_future().get(), absl::OkStatus());
  stopper.join();
}

}  // namespace
}  // namespace pagewire::semantics
