// Unary calls through a real server, over TCP on loopback and inside the process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "integration/blob_service.h"
#include "tls/test_credentials.h"

namespace pagewire::test {
namespace {

using ::testing::HasSubstr;

class UnaryTest : public ::testing::TestWithParam<bool> {
 protected:
  void StartServer(ServerBuilder& builder) {
    builder.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &port_);
    builder.RegisterService(&service_);
    absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::shared_ptr<Channel> MakeChannel(const ChannelOptions& options = ChannelOptions()) {
    if (GetParam()) return CreateInProcessChannel(*server_, options);
    return CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port_), pagewire::testing::TestChannelCredentials(),
                               options);
  }

  void SetUp() override {
    ServerBuilder builder;
    StartServer(builder);
  }

  // Where the paths are forced (see CMakeLists.txt) and there is a socket. Over loopback only what the kernel has
  // copied into pages of its own is mapped.
  static bool Forced(const char* variable, std::string_view path) {
    const char* const forced = std::getenv(variable);
    return forced != nullptr && forced == path && !GetParam();
  }
  static bool PagesAreMapped() {
    return Forced("PAGEWIRE_SEND_PATH", "zerocopy") && Forced("PAGEWIRE_RECEIVE_PATH", "map");
  }
  static bool Spliced() { return Forced("PAGEWIRE_SEND_PATH", "splice"); }

  BlobService service_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

INSTANTIATE_TEST_SUITE_P(Transports, UnaryTest, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "InProcess" : "Tcp"; });

TEST_P(UnaryTest, Echo) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.AddMetadata("color", "blue");
  BlobRequest request;
  request.set_name("hello");
  absl::StatusOr<BlobReply> reply = stub.Echo(context, request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->name(), "hello");
  EXPECT_EQ(context.GetServerInitialMetadata().find("served-by")->second, "blob");
  EXPECT_EQ(context.GetServerTrailingMetadata().find("echo-color")->second, "blue");
}

TEST_P(UnaryTest, PayloadsOfAwkwardSizesBothWays) {
  Blob::Stub stub(MakeChannel());
  for (uint64_t size : {0ull, 1ull, 4095ull, 4096ull, 4097ull, 65535ull, 65536ull, 1048575ull, 1048576ull, 1048577ull,
                        5000001ull, (32ull << 20) + 12345}) {
    BlobRequest request;
    request.set_size(size);
    request.set_seed(size + 7);
    ClientContext put_context;
    absl::StatusOr<BlobReply> put = stub.Put(put_context, request, MakePayload(size, 3));
    ASSERT_TRUE(put.ok()) << size << ": " << put.status();
    EXPECT_EQ(put->size(), size);
    EXPECT_EQ(put->hash(), ExpectedHash(size, 3)) << size;

    ClientContext get_context;
    absl::StatusOr<WithPayload<BlobReply>> got = stub.Get(get_context, request);
    ASSERT_TRUE(got.ok()) << size << ": " << got.status();
    EXPECT_EQ(got->payload.size(), size);
    EXPECT_EQ(HashOf(got->payload), ExpectedHash(size, size + 7)) << size;

    ClientContext swap_context;
    absl::StatusOr<WithPayload<BlobReply>> swapped = stub.Swap(swap_context, request, MakePayload(size, 9));
    ASSERT_TRUE(swapped.ok()) << size << ": " << swapped.status();
    EXPECT_EQ(HashOf(swapped->payload), ExpectedHash(size, 9)) << size;
    const CallTransferReport& report = swap_context.transfer_report();
    EXPECT_EQ(report.sent.payload_bytes, size);
    EXPECT_EQ(report.received.payload_bytes, size);
    EXPECT_EQ(report.sent.copied(CopyReason::kTail), size % 4096);
    EXPECT_EQ(report.sent.mapped_bytes, PagesAreMapped() ? size - size % 4096 : 0) << report.sent.ToString();
    EXPECT_EQ(report.sent.kernel_copied_bytes, Spliced() ? size % 4096 : size) << "over loopback";
  }
}

TEST_P(UnaryTest, TheClientLearnsWhenThePeerHasReceivedAndReleasedAPayload) {
  Blob::Stub stub(MakeChannel());
  base::Mutex mutex;
  base::CondVar changed;
  std::vector<std::string> said;
  const auto say = [&](std::string what) {
    return [&, what](bool happened) {
      base::MutexLock lock(mutex);
      said.push_back(what + (happened ? "+" : "-"));
      changed.NotifyAll();
    };
  };
  const auto await = [&](size_t count) {
    base::MutexLock lock(mutex);
    while (said.size() < count) changed.Wait(mutex);
    return said;
  };
  {
    ClientContext context;
    context.OnPeerReceived(say("received"));
    context.OnPeerReleased(say("released"));
    ASSERT_TRUE(stub.Keep(context, BlobRequest(), MakePayload(100'000, 1)).ok());
  }
  EXPECT_THAT(await(1), ::testing::ElementsAre("received+")) << "the handler keeps the payload";
  EXPECT_EQ(service_.TakeKept().size(), 1u);
  EXPECT_THAT(await(2), ::testing::ElementsAre("received+", "released+"));

  ClientContext empty;
  empty.OnPeerReceived(say("empty"));
  ASSERT_TRUE(stub.Put(empty, BlobRequest(), Payload()).ok());
  EXPECT_EQ(await(3).back(), "empty-");

  {  // A connection that ends will never say.
    Blob::Stub other(MakeChannel());
    ClientContext lost;
    lost.OnPeerReleased(say("lost"));
    ASSERT_TRUE(other.Keep(lost, BlobRequest(), MakePayload(5000, 1)).ok());
  }
  EXPECT_EQ(await(4).back(), "lost-");
}

TEST_P(UnaryTest, StatusWithDetails) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  BlobRequest request;
  request.set_name("detail bytes");
  request.set_code(static_cast<uint32_t>(absl::StatusCode::kAborted));
  request.set_text("\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba and non-BMP \xf0\x9f\x98\x88\t\n");
  const absl::StatusOr<BlobReply> reply = stub.Echo(context, request);
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(reply.status().message(), request.text());
  EXPECT_EQ(reply.status().GetPayload("type.example/detail"), absl::Cord("detail bytes"));
  EXPECT_EQ(context.GetServerTrailingMetadata().find("seen-name-bin")->second, "detail bytes");
  EXPECT_FALSE(context.not_started());
}

TEST_P(UnaryTest, UnimplementedMethod) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  const absl::Status status = stub.Missing(context, BlobRequest()).status();
  EXPECT_EQ(status, absl::UnimplementedError("/pagewire.test.Blob/Missing is not implemented by this server"));
}

TEST_P(UnaryTest, HandlerThatThrows) {
  Blob::Stub stub(MakeChannel());
  BlobRequest request;
  request.set_name("throw");
  ClientContext context;
  EXPECT_EQ(stub.Echo(context, request).status(),
            absl::InternalError("handler of /pagewire.test.Blob/Echo threw: thrown on request"));
  ClientContext next;
  EXPECT_TRUE(stub.Echo(next, BlobRequest()).ok());
}

TEST_P(UnaryTest, InvalidMetadataOfTheHandler) {
  Blob::Stub stub(MakeChannel());
  BlobRequest request;
  request.set_name("bad-metadata");
  ClientContext context;
  const absl::Status status = stub.Echo(context, request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Upper Case"));
}

TEST_P(UnaryTest, InvalidMetadataOfTheClient) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.AddMetadata("Upper", "x");
  const absl::Status status = stub.Echo(context, BlobRequest()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Upper"));
}

TEST_P(UnaryTest, ContextServesOneCall) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  ASSERT_TRUE(stub.Echo(context, BlobRequest()).ok());
  EXPECT_EQ(stub.Echo(context, BlobRequest()).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(UnaryTest, DeadlineInTheHandler) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.set_timeout(absl::Milliseconds(50));
  BlobRequest request;
  request.set_sleep_ms(20'000);
  EXPECT_EQ(stub.Echo(context, request).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_P(UnaryTest, DeadlineInThePast) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.set_deadline(absl::Now() - absl::Hours(1));
  EXPECT_EQ(stub.Echo(context, BlobRequest()).status().code(), absl::StatusCode::kDeadlineExceeded);
  ClientContext ancient;
  ancient.set_deadline(absl::InfinitePast());
  EXPECT_EQ(stub.Echo(ancient, BlobRequest()).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_P(UnaryTest, CancelBeforeTheCall) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.TryCancel();
  BlobRequest request;
  request.set_sleep_ms(20'000);
  EXPECT_EQ(stub.Echo(context, request).status().code(), absl::StatusCode::kCancelled);
}

TEST_P(UnaryTest, CancelInTheHandler) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  BlobRequest request;
  request.set_sleep_ms(20'000);
  std::thread canceller([&] { context.TryCancel(); });
  EXPECT_EQ(stub.Echo(context, request).status().code(), absl::StatusCode::kCancelled);
  canceller.join();
}

TEST_P(UnaryTest, CallbackFormRunsManyCallsAtOnce) {
  constexpr int kCalls = 1000;
  Blob::Stub stub(MakeChannel());
  std::vector<std::unique_ptr<ClientContext>> contexts;
  base::Mutex mutex;
  base::CondVar changed;
  int done = 0;
  int right = 0;
  for (int i = 0; i < kCalls; ++i) {
    contexts.push_back(std::make_unique<ClientContext>());
    BlobRequest request;
    request.set_name(std::to_string(i));
    const uint64_t size = i * 37 % 20'000;
    stub.Callback().Put(*contexts.back(), request, MakePayload(size, i), [&, i, size](absl::StatusOr<BlobReply> reply) {
      const bool ok = reply.ok() && reply->size() == size && reply->hash() == ExpectedHash(size, i) &&
                      reply->name() == std::to_string(i);
      base::MutexLock lock(mutex);
      if (!ok && done < 3) ADD_FAILURE() << i << ": " << reply.status();
      ++done;
      right += ok;
      changed.NotifyOne();
    });
  }
  base::MutexLock lock(mutex);
  while (done < kCalls) changed.Wait(mutex);
  EXPECT_EQ(right, kCalls);
}

TEST_P(UnaryTest, ThousandBlockedHandlersOnOneChannel) {
  constexpr int kCalls = 1000;
  Blob::Stub stub(MakeChannel());
  ClientContext first;  // connects while the machine has time for it
  ASSERT_TRUE(stub.Echo(first, BlobRequest()).ok());
  std::vector<std::thread> callers;
  std::atomic<int> right = 0;
  for (int i = 0; i < kCalls; ++i) {
    callers.emplace_back([&] {
      ClientContext context;
      BlobRequest request;
      request.set_sleep_ms(60'000);
      const absl::Status status = stub.Echo(context, request).status();
      EXPECT_EQ(status, absl::OkStatus());
      if (status.ok()) ++right;
    });
  }
  service_.Release();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(right, kCalls);
}

TEST_P(UnaryTest, PayloadLargerThanTheLimit) {
  server_.reset();
  ServerBuilder builder;
  builder.SetMaxPayloadBytes(1 << 20);
  StartServer(builder);
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  const absl::Status status = stub.Put(context, BlobRequest(), MakePayload((1 << 20) + 1, 1)).status();
  EXPECT_EQ(status, absl::ResourceExhaustedError("/pagewire.test.Blob/Put: payload of 1048577 bytes is larger than the "
                                                 "limit of 1048576; raise ServerBuilder::SetMaxPayloadBytes"));
  ClientContext next;
  EXPECT_TRUE(stub.Put(next, BlobRequest(), MakePayload(1 << 20, 1)).ok());
}

TEST_P(UnaryTest, PayloadLargerThanTheHeldBudget) {
  server_.reset();
  ServerBuilder builder;
  builder.SetHeldBudgetBytes(8 << 20);
  StartServer(builder);
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  const absl::Status status = stub.Put(context, BlobRequest(), MakePayload((8 << 20) + 1, 1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("8388609 bytes"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("8388608"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("ServerBuilder::SetHeldBudgetBytes"));
  ClientContext next;
  EXPECT_TRUE(stub.Put(next, BlobRequest(), MakePayload(8 << 20, 1)).ok());
}

TEST_P(UnaryTest, ResponsePayloadLargerThanTheClientsLimit) {
  ChannelOptions options;
  options.max_payload_bytes = 1000;
  Blob::Stub stub(MakeChannel(options));
  ClientContext context;
  BlobRequest request;
  request.set_size(1 << 20);
  const absl::Status status = stub.Get(context, request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("raise ChannelOptions::max_payload_bytes"));
  ClientContext next;
  request.set_size(1000);
  EXPECT_TRUE(stub.Get(next, request).ok());
}

TEST_P(UnaryTest, MessageLargerThanTheLimit) {
  Blob::Stub stub(MakeChannel());
  BlobRequest request;
  request.set_name(std::string(5 << 20, 'x'));
  ClientContext context;
  const absl::Status status = stub.Echo(context, request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("raise ServerBuilder::SetMaxMessageBytes"));
  request.set_name(std::string(3 << 20, 'x'));
  request.set_code(0);
  ClientContext next;
  absl::StatusOr<BlobReply> reply = stub.Echo(next, request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->name().size(), 3u << 20);
}

TEST_P(UnaryTest, HeldPayloadsMakeOthersWaitButNotSmallCalls) {
  server_.reset();
  ServerBuilder builder;
  builder.SetHeldBudgetBytes(8 << 20);
  StartServer(builder);
  Blob::Stub stub(MakeChannel());
  ClientContext first;
  ASSERT_TRUE(stub.Keep(first, BlobRequest(), MakePayload(6 << 20, 1)).ok());

  ClientContext hopeless;
  hopeless.set_timeout(absl::Milliseconds(50));
  EXPECT_EQ(stub.Keep(hopeless, BlobRequest(), MakePayload(6 << 20, 2)).status().code(),
            absl::StatusCode::kDeadlineExceeded);

  absl::StatusOr<BlobReply> second;
  std::thread waiting([&] {
    ClientContext context;
    second = stub.Keep(context, BlobRequest(), MakePayload(6 << 20, 3));
  });
  for (int i = 0; i < 100; ++i) {
    ClientContext context;
    BlobRequest request;
    request.set_name(std::string(i * 1000, 'x'));
    ASSERT_TRUE(stub.Echo(context, request).ok());
  }
  std::vector<Holder> holders = Holders();
  EXPECT_TRUE(std::any_of(holders.begin(), holders.end(), [](const Holder& holder) {
    return holder.label == "/pagewire.test.Blob/Keep" && holder.bytes >= 6 << 20;
  }));
  service_.TakeKept().clear();
  waiting.join();
  EXPECT_TRUE(second.ok()) << second.status();
}

TEST_P(UnaryTest, HandlesOutliveChannelAndServer) {
  std::vector<Payload> kept;
  {
    Blob::Stub stub(MakeChannel());
    ClientContext context;
    ASSERT_TRUE(stub.Keep(context, BlobRequest(), MakePayload(3'000'000, 5)).ok());
    EXPECT_EQ(context.transfer_report().sent.mapped_bytes, PagesAreMapped() ? 3'000'000 - 3'000'000 % 4096 : 0);
    kept = service_.TakeKept();
    ClientContext get_context;
    BlobRequest request;
    request.set_size(3'000'000);
    request.set_seed(6);
    absl::StatusOr<WithPayload<BlobReply>> got = stub.Get(get_context, request);
    ASSERT_TRUE(got.ok()) << got.status();
    kept.push_back(std::move(got->payload));
  }
  server_.reset();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(HashOf(kept[0]), ExpectedHash(3'000'000, 5));
  EXPECT_EQ(HashOf(kept[1]), ExpectedHash(3'000'000, 6));
}

TEST_P(UnaryTest, ExternalMemoryIsReleasedOnce) {
  Blob::Stub stub(MakeChannel());
  std::vector<char> memory(100'003, 'q');
  base::Mutex mutex;
  base::CondVar changed;
  int released = 0;
  {
    ClientContext context;
    Payload payload = Payload::FromExternal(memory.data() + 1, memory.size() - 1, [&] {
      base::MutexLock lock(mutex);
      ++released;
      changed.NotifyOne();
    });
    const uint64_t hash = HashOf(payload);
    absl::StatusOr<BlobReply> reply = stub.Put(context, BlobRequest(), std::move(payload));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->hash(), hash);
  }
  base::MutexLock lock(mutex);
  while (released == 0) changed.Wait(mutex);
  EXPECT_EQ(released, 1);
}

TEST_P(UnaryTest, ShutdownLetsCallsFinishAndRefusesLaterOnes) {
  Blob::Stub stub(MakeChannel());
  ClientContext warm;
  ASSERT_TRUE(stub.Echo(warm, BlobRequest()).ok());
  absl::StatusOr<BlobReply> slow;
  std::thread caller([&] {
    ClientContext context;
    BlobRequest request;
    request.set_name("keep");
    request.set_sleep_ms(60'000);
    slow = stub.Keep(context, request, MakePayload(1000, 1));
  });
  // Until the handler has its payload nothing says that the call has arrived but the budget's list of holders.
  const auto arrived = [] {
    const std::vector<Holder> holders = Holders();
    return std::any_of(holders.begin(), holders.end(),
                       [](const Holder& holder) { return holder.label == "/pagewire.test.Blob/Keep"; });
  };
  while (!arrived()) std::this_thread::yield();
  std::thread stopper([&] { server_->Shutdown(absl::Now() + absl::Seconds(60)); });
  absl::Status refused;
  while (refused.ok()) {
    ClientContext context;
    refused = stub.Echo(context, BlobRequest()).status();
  }
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  service_.Release();
  stopper.join();
  caller.join();
  EXPECT_TRUE(slow.ok()) << slow.status();
  server_->Wait();
}

TEST_P(UnaryTest, ShutdownEndsCallsAtItsDeadline) {
  Blob::Stub stub(MakeChannel());
  absl::Status status;
  std::thread caller([&] {
    ClientContext context;
    BlobRequest request;
    request.set_sleep_ms(60'000);
    status = stub.Keep(context, request, MakePayload(1000, 1)).status();
  });
  while (HeldBytes() == 0) std::this_thread::yield();
  server_->Shutdown(absl::Now() + absl::Milliseconds(20));
  caller.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

TEST_P(UnaryTest, ChannelDestroyedWhileACallIsInFlight) {
  absl::Status status;
  std::thread caller([&] {
    Blob::Stub stub(MakeChannel());
    ClientContext context;
    base::Mutex mutex;
    base::CondVar changed;
    bool done = false;
    {
      Blob::Stub own(MakeChannel());
      BlobRequest request;
      request.set_sleep_ms(60'000);
      own.Callback().Echo(context, request, [&](absl::StatusOr<BlobReply> reply) {
        base::MutexLock lock(mutex);
        status = reply.status();
        done = true;
        changed.NotifyOne();
      });
    }
    base::MutexLock lock(mutex);
    while (!done) changed.Wait(mutex);
  });
  caller.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
}

}  // namespace
}  // namespace pagewire::test
