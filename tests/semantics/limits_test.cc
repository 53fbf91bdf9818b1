// Limits of servers, channels and methods, and who gets the last places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/latch.h"
#include "integration/blob_service.h"
#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using ::testing::HasSubstr;

constexpr char kEcho[] = "/pagewire.semantics.Semantics/Echo";
constexpr char kHang[] = "/pagewire.semantics.Semantics/Hang";
constexpr char kCollect[] = "/pagewire.semantics.Semantics/Collect";

Item TextOf(size_t size) {
  Item item;
  item.set_text(std::string(size, 't'));
  return item;
}

Payload Bytes(size_t size) { return Payload::FromCord(absl::Cord(std::string(size, 'p'))); }

class LimitsTest : public SemanticsTest {
 protected:
  void SetUp() override {}  // each test builds its server when it has set it up
  void Serve() { SemanticsTest::SetUp(); }

  static absl::Status EchoStatus(Semantics::Stub& stub, const Item& item, Payload payload = Payload()) {
    ClientContext context;
    return stub.Echo(context, item, std::move(payload)).status();
  }

  // A call that is in flight until it is destroyed; null if it was refused.
  struct Hanging {
    ClientContext context;
    std::unique_ptr<ClientReaderWriter<Item, Item>> stream;
  };
  static std::unique_ptr<Hanging> Hang(Semantics::Stub& stub, absl::Status* refused = nullptr) {
    auto call = std::make_unique<Hanging>();
    call->stream = stub.Hang(call->context);
    absl::Status status = call->stream->WaitForInitialMetadata();
    if (status.ok()) return call;
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    EXPECT_TRUE(call->context.not_started());
    if (refused != nullptr) *refused = std::move(status);
    return nullptr;
  }
  static std::vector<std::unique_ptr<Hanging>> HangAll(Semantics::Stub& stub) {
    std::vector<std::unique_ptr<Hanging>> calls;
    while (auto call = Hang(stub)) calls.push_back(std::move(call));
    return calls;
  }
};

TEST_F(LimitsTest, OfOneMethodOnTheServer) {
  builder_.SetMaxMessageBytes(1000).SetMaxPayloadBytes(5000);
  MethodLimits limits;
  limits.max_message_bytes = 100'000;
  limits.max_payload_bytes = 0;
  builder_.SetMethodLimits(kEcho, limits);
  limits.max_message_bytes = 100;
  builder_.SetMethodLimits(kCollect, limits);
  Serve();
  Semantics::Stub stub(MakeChannel());
  EXPECT_EQ(EchoStatus(stub, TextOf(50'000), Bytes(1 << 20)), absl::OkStatus()) << "more than the server's";
  const absl::Status status = EchoStatus(stub, TextOf(100'000));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("limit of 100000; raise MethodLimits::max_message_bytes"));
  ClientContext context;
  const auto writer = stub.Collect(context);
  EXPECT_EQ(writer->Write(TextOf(90)), absl::OkStatus());
  writer->Write(TextOf(100)).IgnoreError();
  EXPECT_THAT(std::string(writer->Finish().status().message()), HasSubstr("larger than the limit of 100; raise"))
      << "less";
}

TEST_F(LimitsTest, OfOneMethodsPayload) {
  MethodLimits limits;
  limits.max_payload_bytes = 1000;
  builder_.SetMethodLimits(kEcho, limits);
  Serve();
  Semantics::Stub stub(MakeChannel());
  EXPECT_EQ(EchoStatus(stub, Item(), Bytes(1000)), absl::OkStatus());
  const absl::Status status = EchoStatus(stub, Item(), Bytes(1001));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("payload of 1001 bytes is larger than the limit of 1000; raise MethodLimits::max_payload_bytes"));
}

TEST_F(LimitsTest, OfOneMethodsMetadata) {
  MethodLimits limits;
  limits.max_metadata_bytes = 200'000;
  builder_.SetMethodLimits(kEcho, limits).SetMaxMetadataBytes(1000);
  Serve();
  ChannelOptions options;
  options.method_limits[kEcho] = limits;
  options.max_metadata_bytes = 5000;
  Semantics::Stub stub(MakeChannel(options));
  ClientContext large;
  large.AddMetadata("key", std::string(150'000, 'v'));
  EXPECT_EQ(stub.Echo(large, Item(), Payload()).status(), absl::OkStatus());
  ClientContext small;
  small.AddMetadata("key", std::string(2000, 'v'));
  EXPECT_EQ(stub.Collect(small)->Finish().status().code(), absl::StatusCode::kResourceExhausted) << "the server's";
  ClientContext own;
  own.AddMetadata("key", std::string(6000, 'v'));
  EXPECT_THAT(std::string(stub.Collect(own)->Finish().status().message()), HasSubstr("limit of 5000"))
      << "the channel's";
}

TEST_F(LimitsTest, OfOneMethodOnTheChannel) {
  Serve();
  ChannelOptions options;
  options.max_message_bytes = 1000;
  options.method_limits[kEcho].max_message_bytes = 100'000;
  options.method_limits[kEcho].max_payload_bytes = 10;
  Semantics::Stub stub(MakeChannel(options));
  EXPECT_EQ(EchoStatus(stub, TextOf(50'000)), absl::OkStatus());
  EXPECT_THAT(std::string(EchoStatus(stub, TextOf(100'000)).message()),
              HasSubstr("limit of 100000; raise MethodLimits::max_message_bytes"));
  EXPECT_THAT(std::string(EchoStatus(stub, Item(), Bytes(11)).message()),
              HasSubstr("limit of 10; raise MethodLimits::max_payload_bytes"));
}

TEST_F(LimitsTest, CallsOnTheChannel) {
  Serve();
  ChannelOptions options;
  options.max_concurrent_calls = 3;
  options.method_limits[kHang].max_concurrent_calls = 2;
  Semantics::Stub stub(MakeChannel(options));
  auto calls = HangAll(stub);
  EXPECT_EQ(calls.size(), 2u);
  absl::Status refused;
  EXPECT_EQ(Hang(stub, &refused), nullptr);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("2 calls are in flight on this channel, which is the method's"));
  EXPECT_EQ(EchoStatus(stub, Item()), absl::OkStatus());
  calls.pop_back();
  EXPECT_NE(Hang(stub), nullptr) << "as soon as one has ended";
}

TEST_F(LimitsTest, CallsOnTheServer) {
  builder_.SetMaxConcurrentCalls(9);
  MethodLimits limits;
  limits.max_concurrent_calls = 1;
  builder_.SetMethodLimits(kEcho, limits);
  Serve();
  Semantics::Stub first(MakeChannel());
  Semantics::Stub second(MakeChannel());
  auto calls = HangAll(first);
  EXPECT_EQ(calls.size(), 8u);
  absl::Status refused;
  EXPECT_EQ(Hang(first, &refused), nullptr);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("kept for other connections"));
  const auto of_second = Hang(second);
  EXPECT_NE(of_second, nullptr) << "the last place is another connection's";
  EXPECT_EQ(Hang(second, &refused), nullptr);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("9 calls are in flight on this server, which is the limit"));
  calls.clear();
  service_.AwaitCancelled(8);
  while (!EchoStatus(second, Item()).ok()) continue;  // places come back as the handlers end
}

TEST_F(LimitsTest, BytesThatWait) {
  constexpr uint64_t kBytes = 16 << 20;  // more than a connection may send without asking
  builder_.SetHeldBudgetBytes(kBytes).SetMaxWaitingPayloadBytes(kBytes);
  Serve();
  const auto channel = MakeChannel();
  Semantics::Stub stub(channel);
  ClientContext stuck_context;
  const auto stuck = stub.Stuck(stuck_context);  // reads nothing, so that what it has been sent stays held
  ASSERT_EQ(stuck->Write(Item(), test::MakePayload(kBytes, 0)), absl::OkStatus());
  while (HeldBytes() < kBytes) std::this_thread::yield();
  struct Waiting {
    ClientContext context;
    absl::Status status;
    testing::Latch done;
  };
  const auto wait = [&](Waiting& call) {
    stub.Callback().Echo(call.context, Item(), Bytes(kBytes), [&call](absl::StatusOr<WithPayload<Item>> reply) {
      call.status = reply.status();
      call.done.CountDown();
    });
  };
  Waiting first, second;
  wait(first);
  wait(second);  // on the same connection, so that it comes behind the first
  second.done.Wait();
  EXPECT_EQ(second.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(second.context.not_started());
  EXPECT_THAT(std::string(second.status.message()), HasSubstr("raise ServerBuilder::SetMaxWaitingPayloadBytes"));
  service_.go_on.CountDown();
  EXPECT_EQ(stuck->Finish().status(), absl::OkStatus());
  first.done.Wait();
  EXPECT_EQ(first.status, absl::OkStatus()) << "it was in line, and its turn came";
}

TEST_F(LimitsTest, Connections) {
  builder_.SetMaxConnections(2);
  Serve();
  auto first = MakeChannel();
  auto second = MakeChannel();
  EXPECT_TRUE(first->WaitForConnected(absl::Now() + absl::Seconds(10)));
  EXPECT_TRUE(second->WaitForConnected(absl::Now() + absl::Seconds(10)));
  ChannelOptions options;
  options.initial_backoff = absl::Milliseconds(10);
  Semantics::Stub third(MakeChannel(options));
  const absl::Status status = EchoStatus(third, Item());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  if (!pagewire::testing::TestsUseTls()) {  // there it is refused before it could be told
    EXPECT_THAT(std::string(status.message()), HasSubstr("the server has 2 connections, which is its limit"));
  }
  Semantics::Stub stub(first);
  EXPECT_EQ(EchoStatus(stub, Item()), absl::OkStatus()) << "those that are there are not disturbed";
  second.reset();
  while (!EchoStatus(third, Item()).ok()) continue;
}

TEST_F(LimitsTest, OfAMethodThatNoServiceHas) {
  builder_.RegisterService(&service_);
  builder_.SetMethodLimits("Semantics/Echo", MethodLimits());
  const auto server = builder_.BuildAndStart();
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("\"/package.Service/Method\""));
}

}  // namespace
}  // namespace pagewire::semantics
