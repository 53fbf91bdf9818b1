// Generated stubs over a channel that only remembers and answers.
#include <pagewire/channel.h>
#include <pagewire/executor.h>
#include <pagewire/internal/channel_access.h>
#include <pagewire/payload_buffer.h>

#include <absl/status/status.h>
#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "blob.pagewire.h"
#include "blob.pagewire.mock.h"
#include "lite.pagewire.h"
#include "names.pagewire.h"
#include "no_package.pagewire.h"
#include "proto2.pagewire.h"

namespace pagewire {
namespace {

Payload PayloadOf(const std::string& bytes) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(bytes.size());
  std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return std::move(buffer).Freeze();
}

std::string BytesOf(const Payload& payload) {
  std::string bytes(payload.size(), '\0');
  payload.CopyTo(absl::Span<char>(bytes.data(), bytes.size()));
  return bytes;
}

class FakeChannel final : public Channel {
 public:
  absl::StatusOr<internal::RawMessage> reply = internal::RawMessage();

  int calls = 0;
  std::string method;
  PayloadDirection direction = PayloadDirection::kNone;
  std::string request;
  std::string request_payload;

  ConnectivityState GetState(bool) override { return ConnectivityState::kReady; }
  bool WaitForStateChange(ConnectivityState last_observed, absl::Time) override {
    return last_observed != ConnectivityState::kReady;
  }
  void OnStateChange(ConnectivityState, absl::AnyInvocable<void(ConnectivityState)>) override {}

 private:
  void StartUnary(const Method& called, ClientContext& context, std::string bytes, Payload payload,
                  absl::AnyInvocable<void(absl::StatusOr<internal::RawMessage>)> done) override {
    DefaultExecutor().Run([raw = BlockingUnary(called, context, std::move(bytes), std::move(payload)),
                           done = std::move(done)]() mutable { done(std::move(raw)); });
  }

  absl::StatusOr<internal::RawMessage> BlockingUnary(const Method& called, ClientContext&, std::string bytes,
                                                     Payload payload) override {
    ++calls;
    method = std::string(called.name);
    direction = called.payload;
    request = std::move(bytes);
    request_payload = BytesOf(payload);
    return reply;
  }

  std::unique_ptr<internal::RawClientStream> StartStream(const Method& called, ClientContext&,
                                                         std::optional<internal::RawMessage> first) override {
    ++calls;
    method = std::string(called.name);
    if (first.has_value()) request = first->bytes;
    return internal::ChannelAccess::BrokenStream(absl::UnavailableError("no server"));
  }
};

class StubTest : public testing::Test {
 protected:
  // Runs a callback form until its `done` has run, and says what it was told.
  template <typename Reply, typename Start>
  absl::StatusOr<Reply> Await(Start start) {
    // Shared: set_value may still be at work when get() returns.
    const auto promise = std::make_shared<std::promise<absl::StatusOr<Reply>>>();
    start([promise, caller = std::this_thread::get_id()](absl::StatusOr<Reply> told) {
      EXPECT_NE(std::this_thread::get_id(), caller);
      promise->set_value(std::move(told));
    });
    return promise->get_future().get();
  }

  const std::shared_ptr<FakeChannel> channel_ = std::make_shared<FakeChannel>();
  ClientContext context_;
};

TEST_F(StubTest, PutSendsMessageAndPayload) {
  blob::PutReply put_reply;
  put_reply.set_size(3);
  channel_->reply->bytes = put_reply.SerializeAsString();
  blob::PutRequest request;
  request.set_name("n");
  const auto reply = blob::BlobStore::Stub(channel_).Put(context_, request, PayloadOf("abc"));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->size(), 3u);
  EXPECT_EQ(channel_->method, "/blob.BlobStore/Put");
  EXPECT_EQ(channel_->direction, PayloadDirection::kRequest);
  EXPECT_EQ(channel_->request, request.SerializeAsString());
  EXPECT_EQ(channel_->request_payload, "abc");
}

TEST_F(StubTest, GetReturnsMessageAndPayload) {
  blob::GetReply get_reply;
  get_reply.set_size(5);
  channel_->reply = internal::RawMessage{get_reply.SerializeAsString(), PayloadOf("12345")};
  const auto reply = blob::BlobStore::Stub(channel_).Get(context_, blob::GetRequest());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->message.size(), 5u);
  EXPECT_EQ(BytesOf(reply->payload), "12345");
  EXPECT_EQ(channel_->direction, PayloadDirection::kResponse);
  EXPECT_EQ(channel_->request_payload, "");
}

TEST_F(StubTest, TheCallbackFormDoesTheSame) {
  blob::GetReply get_reply;
  get_reply.set_size(2);
  channel_->reply = internal::RawMessage{get_reply.SerializeAsString(), PayloadOf("<>")};
  blob::BlobStore::Stub stub(channel_);
  const auto reply = Await<WithPayload<blob::GetReply>>(
      [&](auto done) { stub.Callback().Swap(context_, blob::GetRequest(), PayloadOf("swap"), std::move(done)); });
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->message.size(), 2u);
  EXPECT_EQ(BytesOf(reply->payload), "<>");
  EXPECT_EQ(channel_->method, "/blob.BlobStore/Swap");
  EXPECT_EQ(channel_->direction, PayloadDirection::kBoth);
  EXPECT_EQ(channel_->request_payload, "swap");
}

TEST_F(StubTest, TheCallbackFormOutlivesItsStub) {
  auto callback = std::make_unique<blob::BlobStore::Stub>(channel_)->Callback();
  const auto reply =
      Await<blob::GetReply>([&](auto done) { callback.Stat(context_, blob::GetRequest(), std::move(done)); });
  EXPECT_TRUE(reply.ok()) << reply.status();
}

TEST_F(StubTest, ACallbackNobodyWaitsForMayBeNull) {
  blob::BlobStore::Stub stub(channel_);
  stub.Callback().Stat(context_, blob::GetRequest(), nullptr);
  EXPECT_EQ(channel_->calls, 1);
}

TEST_F(StubTest, AnErrorArrivesAsItIs) {
  channel_->reply = absl::UnavailableError("the server is away");
  blob::BlobStore::Stub stub(channel_);
  EXPECT_EQ(stub.Get(context_, blob::GetRequest()).status(), absl::UnavailableError("the server is away"));
  EXPECT_EQ(Await<blob::GetReply>([&](auto done) {
              stub.Callback().Stat(context_, blob::GetRequest(), std::move(done));
            }).status(),
            absl::UnavailableError("the server is away"));
}

TEST_F(StubTest, WithoutAChannelCallsFail) {
  const absl::Status expected = absl::FailedPreconditionError(
      "/blob.BlobStore/Stat: the stub has no channel; construct it with one (mocks answer only methods they mock)");
  blob::BlobStore::Stub stub(nullptr);
  EXPECT_EQ(stub.Stat(context_, blob::GetRequest()).status(), expected);
  blob::BlobStore::MockStub mock;
  EXPECT_EQ(Await<blob::GetReply>([&](auto done) {
              mock.Callback().Stat(context_, blob::GetRequest(), std::move(done));
            }).status(),
            expected);
}

TEST_F(StubTest, ARequestWithoutItsRequiredFieldsIsNotSent) {
  const absl::Status expected =
      absl::InvalidArgumentError("/two.Two/Check: request two.Strict lacks required fields: a, b");
  two::Two::Stub stub(channel_);
  EXPECT_EQ(stub.Check(context_, two::Strict()).status(), expected);
  EXPECT_EQ(
      Await<two::Strict>([&](auto done) { stub.Callback().Check(context_, two::Strict(), std::move(done)); }).status(),
      expected);
  EXPECT_EQ(channel_->calls, 0);
}

TEST_F(StubTest, AResponseThatDoesNotParseIsInternal) {
  channel_->reply->bytes = "\xff\xff";
  EXPECT_EQ(blob::BlobStore::Stub(channel_).Stat(context_, blob::GetRequest()).status(),
            absl::InternalError("/blob.BlobStore/Stat: response is not a valid blob.GetReply (2 bytes)"));
}

TEST_F(StubTest, AResponseWithoutItsRequiredFieldsIsInternal) {
  EXPECT_EQ(two::Two::Stub(channel_).Make(context_, two::Loose()).status(),
            absl::InternalError(
                "/two.Two/Make: response is not a valid two.Strict (0 bytes): required fields are missing: a, b"));
}

TEST_F(StubTest, LiteMessages) {
  lite::M message;
  message.set_a(1);
  channel_->reply->bytes = message.SerializeAsString();
  EXPECT_EQ(lite::Lite::Stub(channel_).Do(context_, message)->a(), 1);
  EXPECT_EQ(lite::Lite::Stub(channel_).Do(context_, lite::M()).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StubTest, NamesOnTheWireAreTheOriginals) {
  (void)awkward::pagewire::Class::Stub(channel_).delete_(context_, awkward::pagewire::delete_(), Payload());
  EXPECT_EQ(channel_->method, "/awkward.pagewire.Class/delete");
  (void)RootlessService::Stub(channel_).Rootless(context_, ::Stub());
  EXPECT_EQ(channel_->method, "/RootlessService/Rootless");
  (void)::std_::Stub(channel_).std(context_, ::Stub());
  EXPECT_EQ(channel_->method, "/std/std");
}

}  // namespace
}  // namespace pagewire
