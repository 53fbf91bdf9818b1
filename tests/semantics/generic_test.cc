// Calls and services that know methods by name only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "integration/blob_service.h"
#include "semantics/client_forms.h"
#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using ::testing::ElementsAre;

constexpr char kEcho[] = "/pagewire.semantics.Semantics/Echo";
constexpr char kProduce[] = "/pagewire.semantics.Semantics/Produce";
constexpr char kCollect[] = "/pagewire.semantics.Semantics/Collect";

GenericMessage Serialized(const google::protobuf::MessageLite& message, Payload payload = Payload()) {
  return {message.SerializeAsString(), std::move(payload)};
}

Item Numbered(uint64_t number) {
  Item item;
  item.set_number(number);
  return item;
}

template <typename Message>
Message Parsed(const GenericMessage& message) {
  Message parsed;
  EXPECT_TRUE(parsed.ParseFromString(message.bytes));
  return parsed;
}

class GenericTest : public SemanticsTest {};

TEST_F(GenericTest, AUnaryCall) {
  GenericStub stub(MakeChannel());
  ClientContext context;
  const auto reply = stub.Call(context, kEcho, Serialized(Numbered(7), test::MakePayload(100'000, 1)));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(Parsed<Item>(*reply).number(), 7u);
  EXPECT_EQ(test::HashOf(reply->payload), test::ExpectedHash(100'000, 1));
}

TEST_F(GenericTest, AUnaryCallWithACallback) {
  GenericStub stub(MakeChannel());
  ClientContext context;
  std::promise<absl::StatusOr<GenericMessage>> reply;
  stub.Call(context, kEcho, Serialized(Numbered(8)), [&](auto got) { reply.set_value(std::move(got)); });
  EXPECT_EQ(Parsed<Item>(*reply.get_future().get()).number(), 8u);
}

TEST_F(GenericTest, Streams) {
  GenericStub stub(MakeChannel());
  Order order;
  order.set_count(2);
  ClientContext produce;
  const auto reader = stub.StartStream(produce, kProduce);
  ASSERT_EQ(reader->Write(Serialized(order)), absl::OkStatus());
  ASSERT_EQ(reader->WritesDone(), absl::OkStatus());
  EXPECT_EQ(Parsed<Item>(**reader->Read()).number(), 0u);
  EXPECT_EQ(Parsed<Item>(**reader->Read()).number(), 1u);
  EXPECT_FALSE(reader->Read()->has_value());
  EXPECT_EQ(reader->Finish(), absl::OkStatus());
  ClientContext collect;
  const GenericStub::AsyncStream writer = stub.StartAsyncStream(collect, kCollect);
  for (int i = 1; i <= 3; ++i) writer.Write(Serialized(Numbered(i)), [](absl::Status) {});
  writer.WritesDone([](absl::Status) {});
  std::promise<uint64_t> numbers;
  writer.Read([&](const absl::StatusOr<std::optional<GenericMessage>>& summary) {
    numbers.set_value(Parsed<Summary>(**summary).numbers());
  });
  EXPECT_EQ(numbers.get_future().get(), 6u);
}

TEST_F(GenericTest, ErrorsAreThoseOfAnyCall) {
  GenericStub stub(MakeChannel());
  ClientContext unknown, garbage;
  EXPECT_EQ(stub.Call(unknown, "/a.B/C", {}).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(stub.Call(garbage, kEcho, {"\xff\xff", Payload()}).status().code(), absl::StatusCode::kInternal);
  ClientContext nowhere;
  EXPECT_EQ(GenericStub(nullptr).Call(nowhere, kEcho, {}).status().code(), absl::StatusCode::kFailedPrecondition);
}

// Hands every call on to another server, message by message: it knows no method.
class Proxy final : public GenericService {
 public:
  explicit Proxy(std::shared_ptr<Channel> channel) : stub_(std::move(channel)) {}

  absl::Status Handle(ServerContext& context, ServerReaderWriter<GenericMessage, GenericMessage>& stream) override {
    const auto outgoing = ClientContext::FromServerContext(context);
    const auto call = stub_.StartStream(*outgoing, context.method());
    std::future<void> requests = std::async(std::launch::async, [&] {
      for (;;) {
        absl::StatusOr<std::optional<GenericMessage>> request = stream.Read();
        if (!request.ok() || !request->has_value() || !call->Write(**request).ok()) break;
      }
      call->WritesDone().IgnoreError();
    });
    for (;;) {
      absl::StatusOr<std::optional<GenericMessage>> response = call->Read();
      if (!response.ok() || !response->has_value() || !stream.Write(**response).ok()) break;
    }
    absl::Status status = call->Finish();
    if (!status.ok()) return status;  // ends the reading
    requests.get();
    return status;
  }

 private:
  GenericStub stub_;
};

class ProxyTest : public GenericTest {
 protected:
  void SetUp() override {
    GenericTest::SetUp();
    proxy_ = std::make_unique<Proxy>(MakeChannel());
    ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &proxy_port_);
    builder.RegisterGenericService(proxy_.get());
    proxy_server_ = *builder.BuildAndStart();
  }
  std::shared_ptr<Channel> ProxyChannel() const {
    return CreateChannel("ipv4:127.0.0.1:" + std::to_string(proxy_port_), pagewire::testing::TestChannelCredentials());
  }

  std::unique_ptr<Proxy> proxy_;
  int proxy_port_ = 0;
  std::unique_ptr<Server> proxy_server_;
};

TEST_F(ProxyTest, AllKindsOfCallsInAllForms) {
  for (const Form form : {Form::kBlocking, Form::kCallback, Form::kCoroutine}) {
    SCOPED_TRACE(::testing::Message() << NameOfForm(form));
    const auto jobs = MakeJobs(form, ProxyChannel());
    ClientContext echo, produce, collect, chat;
    const auto item = jobs->Echo(echo, Numbered(3), test::MakePayload(300'000, 2));
    ASSERT_TRUE(item.ok()) << item.status();
    EXPECT_EQ(test::HashOf(item->payload), test::ExpectedHash(300'000, 2));
    Order order;
    order.set_count(3);
    const auto [numbers, status] = jobs->Produce(produce, order);
    EXPECT_EQ(status, absl::OkStatus());
    EXPECT_THAT(numbers, ElementsAre(0, 1, 2));
    const auto summary = jobs->Collect(collect, 100);
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->count(), 100u);
    const auto [sizes, end] = jobs->ChatPayloads(chat, {Payload(), test::MakePayload(5000, 3)});
    EXPECT_EQ(end, absl::OkStatus());
    EXPECT_THAT(sizes, ElementsAre(0, 5000));
  }
}

TEST_F(ProxyTest, StatusesPassThrough) {
  Semantics::Stub stub(ProxyChannel());
  ClientContext context;
  Item item;
  item.set_text("throw");
  EXPECT_EQ(stub.Echo(context, item, Payload()).status().code(), absl::StatusCode::kInternal);
  ClientContext unimplemented;
  GenericStub generic(ProxyChannel());
  EXPECT_EQ(generic.Call(unimplemented, "/a.B/C", {}).status().code(), absl::StatusCode::kUnimplemented);
}

// Answers with the name of the method.
class Namer final : public CallbackGenericService {
 public:
  void Handle(ServerContext& context, AsyncServerReaderWriter<GenericMessage, GenericMessage> stream,
              absl::AnyInvocable<void(absl::Status)> done) override {
    stream.Write({std::string(context.method()), Payload()}, [](absl::Status) {});
    done(absl::OkStatus());
  }
};

TEST(CallbackGenericServiceTest, KnownMethodsGoToTheirService) {
  Namer namer;
  SemanticsService semantics;
  ServerBuilder builder;
  builder.RegisterService(&semantics).RegisterGenericService(&namer);
  const auto server = *builder.BuildAndStart();
  GenericStub stub(CreateInProcessChannel(*server));
  ClientContext known, unknown;
  EXPECT_EQ(Parsed<Item>(*stub.Call(known, kEcho, Serialized(Numbered(9)))).number(), 9u);
  EXPECT_EQ(stub.Call(unknown, "/a.B/C", {})->bytes, "/a.B/C");
}

TEST(CallbackGenericServiceTest, LimitsHoldForTheNameThatWasCalled) {
  Namer namer;
  MethodLimits limits;
  limits.max_message_bytes = 10;
  ServerBuilder builder;
  builder.RegisterGenericService(&namer).SetMethodLimits("/a.B/C", limits);
  const auto server = *builder.BuildAndStart();
  GenericStub stub(CreateInProcessChannel(*server));
  ClientContext limited, other;
  EXPECT_EQ(stub.Call(limited, "/a.B/C", {std::string(11, 'x'), Payload()}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(stub.Call(other, "/a.B/D", {std::string(11, 'x'), Payload()}).ok());
}

TEST(CallbackGenericServiceTest, ASecondGenericServiceIsAnError) {
  Namer first, second;
  ServerBuilder builder;
  builder.RegisterGenericService(&first).RegisterGenericService(&second);
  EXPECT_EQ(builder.BuildAndStart().status().code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace pagewire::semantics
