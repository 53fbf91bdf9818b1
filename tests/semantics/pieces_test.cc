// Payloads that travel piecewise, in all forms, over TCP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/internal/stream_client.h>
#include <pagewire/pagewire.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "semantics/piece_services.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMiB = 1 << 20;

Thing Called(std::string name, uint64_t size = 0, uint64_t piece_size = 0) {
  Thing thing;
  thing.set_name(std::move(name));
  thing.set_size(size);
  thing.set_piece_size(piece_size);
  return thing;
}

class PieceServer {
 public:
  explicit PieceServer(Service& service, uint64_t held_budget = 0) {
    builder_.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &port_);
    builder_.RegisterService(&service);
    if (held_budget > 0) builder_.SetHeldBudgetBytes(held_budget);
    absl::StatusOr<std::unique_ptr<Server>> server = builder_.BuildAndStart();
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::shared_ptr<Channel> MakeChannel(const ChannelOptions& options = ChannelOptions()) const {
    return CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port_), pagewire::testing::TestChannelCredentials(),
                               options);
  }

 private:
  ServerBuilder builder_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

class PiecesTest : public ::testing::Test {
 protected:
  PieceService service_;
  PieceServer server_{service_};
  Pieces::Stub stub_{server_.MakeChannel()};
  ClientContext context_;
};

TEST_F(PiecesTest, ARequestInPieces) {
  const auto writer = stub_.Put(context_, Called("put"));
  uint64_t written = 0;
  for (const uint64_t size : {uint64_t{1}, uint64_t{4096}, 3 * kMiB + 5, uint64_t{0}, uint64_t{70'000}}) {
    ASSERT_EQ(writer->Write(PatternAt(written, size)), absl::OkStatus());
    written += size;
  }
  absl::StatusOr<Thing> reply = writer->Finish();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->size(), written);
  EXPECT_TRUE(reply->right());
}

TEST_F(PiecesTest, AResponseInPieces) {
  const auto reader = stub_.Get(context_, Called("get", 5 * kMiB + 77));
  absl::StatusOr<Thing> head = reader->ReadMessage();
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->size(), 5 * kMiB + 77);
  Checker checker;
  for (;;) {
    absl::StatusOr<std::optional<Payload>> piece = reader->Read();
    ASSERT_TRUE(piece.ok()) << piece.status();
    if (!piece->has_value()) break;
    EXPECT_GT((*piece)->size(), 0u);
    checker.Take(**piece);
  }
  EXPECT_EQ(reader->Finish(), absl::OkStatus());
  EXPECT_EQ(checker.size(), 5 * kMiB + 77);
  EXPECT_TRUE(checker.right());
}

TEST_F(PiecesTest, PiecesArriveWhileTheRestIsNotThere) {
  const auto stream = stub_.Swap(context_, Called("swap"));
  ASSERT_EQ(stream->ReadMessage()->name(), "swap") << "before any piece was written";
  for (uint64_t i = 0; i < 10; ++i) {
    ASSERT_EQ(stream->Write(PatternAt(0, 1000 + i)), absl::OkStatus());
    absl::StatusOr<std::optional<Payload>> piece = stream->Read();
    ASSERT_TRUE(piece.ok()) << piece.status();
    ASSERT_TRUE(piece->has_value());
    EXPECT_EQ((*piece)->size(), 1000 + i);
  }
  ASSERT_EQ(stream->WritesDone(), absl::OkStatus());
  EXPECT_FALSE(stream->Read()->has_value());
  EXPECT_EQ(stream->Finish(), absl::OkStatus());
}

TEST_F(PiecesTest, AnEmptyPayload) {
  absl::StatusOr<Thing> reply = stub_.Put(context_, Called("put"))->Finish();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->size(), 0u);
  ClientContext context;
  const auto reader = stub_.Get(context, Called("get", 0));
  EXPECT_TRUE(reader->ReadMessage().ok());
  EXPECT_FALSE(reader->Read()->has_value());
  EXPECT_EQ(reader->Finish(), absl::OkStatus());
}

TEST_F(PiecesTest, AnEmptyPieceIsNone) {
  const auto stream = stub_.Swap(context_, Called("swap"));
  ASSERT_TRUE(stream->ReadMessage().ok());
  ASSERT_EQ(stream->Write(Payload()), absl::OkStatus());
  ASSERT_EQ(stream->Write(PatternAt(0, 3)), absl::OkStatus());
  EXPECT_EQ((*stream->Read())->size(), 3u);
}

TEST_F(PiecesTest, APayloadLargerThanTheBudgetOfEitherEnd) {
  PieceService service;
  const PieceServer server(service, 2 * kMiB);
  ChannelOptions options;
  options.held_budget_bytes = 2 * kMiB;
  Pieces::Stub stub(server.MakeChannel(options));
  std::string memory(64 * kMiB + 123, '\0');
  PatternAt(0, memory.size()).CopyTo(absl::MakeSpan(memory));
  std::promise<void> released;
  const auto stream = stub.Swap(context_, Called("swap"));
  std::future<absl::Status> written = std::async(std::launch::async, [&] {
    // In one piece: it is cut, and each part goes when there is room for it.
    absl::Status status =
        stream->Write(Payload::FromExternal(memory.data(), memory.size(), [&released] { released.set_value(); }));
    if (status.ok()) status = stream->WritesDone();
    return status;
  });
  ASSERT_TRUE(stream->ReadMessage().ok());
  Checker checker;
  for (;;) {
    absl::StatusOr<std::optional<Payload>> piece = stream->Read();
    ASSERT_TRUE(piece.ok()) << piece.status();
    if (!piece->has_value()) break;
    EXPECT_LE((*piece)->size(), 2 * kMiB);
    checker.Take(**piece);
  }
  EXPECT_EQ(written.get(), absl::OkStatus());
  EXPECT_EQ(stream->Finish(), absl::OkStatus());
  EXPECT_EQ(checker.size(), memory.size());
  EXPECT_TRUE(checker.right());
  released.get_future().get();
}

TEST_F(PiecesTest, WhatBecomesOfTheFirstWriteCanBeLearnt) {
  std::promise<bool> received, released;
  context_.OnPeerReceived([&](bool happened) { received.set_value(happened); });
  context_.OnPeerReleased([&](bool happened) { released.set_value(happened); });
  const auto writer = stub_.Put(context_, Called("put"));
  ASSERT_EQ(writer->Write(PatternAt(0, kMiB)), absl::OkStatus());
  EXPECT_TRUE(received.get_future().get()) << "before the call has ended";
  EXPECT_TRUE(released.get_future().get());
  EXPECT_EQ(writer->Finish()->size(), kMiB);
}

TEST_F(PiecesTest, AReaderThatHoldsTheBudgetStopsItsWriterAndNobodyElse) {
  PieceService service;
  const PieceServer server(service, kMiB);
  const auto channel = server.MakeChannel();
  Pieces::Stub stub(channel);
  context_.set_timeout(absl::Seconds(2));
  const auto writer = stub.Put(context_, Called("hold"));
  absl::Status status;
  for (uint64_t written = 0; status.ok(); written += kMiB) status = writer->Write(PatternAt(written, kMiB));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(writer->Finish().status().code(), absl::StatusCode::kDeadlineExceeded);
  service.AwaitEnd();
  EXPECT_LE(service.seen(), 12 * kMiB) << "what it holds: its budget of 1 MiB, and the connection's credit of 8";
  ClientContext next;
  const auto again = stub.Put(next, Called("put"));
  ASSERT_EQ(again->Write(PatternAt(0, 3 * kMiB)), absl::OkStatus());
  EXPECT_EQ(again->Finish()->size(), 3 * kMiB) << "what was held has come back";
}

TEST_F(PiecesTest, CancelInTheMiddle) {
  const auto writer = stub_.Put(context_, Called("put"));
  ASSERT_EQ(writer->Write(PatternAt(0, kMiB)), absl::OkStatus());
  while (service_.seen() < kMiB) std::this_thread::yield();
  context_.TryCancel();
  EXPECT_EQ(writer->Finish().status().code(), absl::StatusCode::kCancelled);
  service_.AwaitEnd();
  EXPECT_EQ(service_.seen(), kMiB) << "all that was written before, and no more";
  EXPECT_EQ(service_.end().code(), absl::StatusCode::kCancelled);
}

TEST_F(PiecesTest, AWriterKnowsWhatHasArrived) {
  const auto writer = stub_.Put(context_, Called("put"));
  EXPECT_EQ(writer->peer_received_bytes(), 0u);
  ASSERT_EQ(writer->Write(PatternAt(0, kMiB + 5)), absl::OkStatus());
  while (writer->peer_received_bytes() < kMiB + 5) std::this_thread::yield();
  ASSERT_EQ(writer->Write(PatternAt(kMiB + 5, kMiB)), absl::OkStatus());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(writer->peer_received_bytes(), 2 * kMiB + 5);
}

TEST_F(PiecesTest, AWriterKnowsWhatHasArrivedBeforeAnError) {
  Thing request = Called("stop");
  request.set_size(3 * kMiB);
  const auto writer = stub_.Put(context_, request);
  uint64_t written = 0;
  for (absl::Status status; status.ok(); written += 100'000) status = writer->Write(PatternAt(written, 100'000));
  EXPECT_EQ(writer->Finish().status(), absl::AbortedError("that is enough"));
  EXPECT_GE(service_.seen(), 3 * kMiB);
  EXPECT_GE(writer->peer_received_bytes(), service_.seen()) << "all that was read, and what waited to be";
  EXPECT_LE(writer->peer_received_bytes(), written);
}

TEST_F(PiecesTest, AWriterKnowsWhatHasArrivedBeforeACancel) {
  const auto writer = stub_.Put(context_, Called("hold"));
  ASSERT_EQ(writer->Write(PatternAt(0, kMiB)), absl::OkStatus());
  while (writer->peer_received_bytes() < kMiB) std::this_thread::yield();
  context_.TryCancel();
  EXPECT_EQ(writer->Finish().status().code(), absl::StatusCode::kCancelled);
  service_.AwaitEnd();
  EXPECT_EQ(writer->peer_received_bytes(), kMiB);
}

TEST_F(PiecesTest, AHandlerKnowsWhatHadArrivedWhenItsReaderStopped) {
  const auto reader = stub_.Get(context_, Called("get", 1000 * kMiB));
  ASSERT_TRUE(reader->ReadMessage().ok());
  Checker checker;
  while (checker.size() < 3 * kMiB) checker.Take(**reader->Read());
  context_.TryCancel();
  service_.AwaitEnd();
  EXPECT_EQ(service_.end().code(), absl::StatusCode::kCancelled);
  EXPECT_GE(service_.seen(), checker.size()) << "all that was read, and what waited to be";
  EXPECT_LT(service_.seen(), 1000 * kMiB);
}

TEST_F(PiecesTest, ALostWriterIsNoEndOfThePayload) {
  auto writer = stub_.Put(context_, Called("put"));
  ASSERT_EQ(writer->Write(PatternAt(0, 1000)), absl::OkStatus());
  while (service_.seen() < 1000) std::this_thread::yield();
  writer.reset();
  service_.AwaitEnd();
  EXPECT_EQ(service_.end().code(), absl::StatusCode::kCancelled) << "not a payload of 1000 bytes";
}

TEST_F(PiecesTest, AHandlerThatRefusesStopsTheWriter) {
  const auto writer = stub_.Put(context_, Called("refuse"));
  absl::Status status;
  for (uint64_t written = 0; status.ok(); written += 100'000) status = writer->Write(PatternAt(written, 100'000));
  EXPECT_EQ(status, absl::ResourceExhaustedError("the disk is full"));
  EXPECT_EQ(writer->Finish().status(), absl::ResourceExhaustedError("the disk is full"));
}

TEST_F(PiecesTest, AnErrorAfterPiecesComesAfterThem) {
  const auto reader = stub_.Get(context_, Called("fail", 300'000));
  ASSERT_TRUE(reader->ReadMessage().ok());
  Checker checker;
  absl::StatusOr<std::optional<Payload>> piece = reader->Read();
  for (; piece.ok() && piece->has_value(); piece = reader->Read()) checker.Take(**piece);
  EXPECT_EQ(piece.status(), absl::DataLossError("a bad sector"));
  EXPECT_EQ(checker.size(), 300'000u) << "exactly what was written before it";
  EXPECT_TRUE(checker.right());
  EXPECT_EQ(reader->Finish(), absl::DataLossError("a bad sector"));
}

TEST_F(PiecesTest, AReaderThatStopsEarly) {
  auto reader = stub_.Get(context_, Called("get", 1000 * kMiB));
  ASSERT_TRUE(reader->ReadMessage().ok());
  ASSERT_TRUE(reader->Read()->has_value());
  reader.reset();
  ClientContext next;
  const auto writer = stub_.Put(next, Called("put"));
  ASSERT_EQ(writer->Write(PatternAt(0, 10)), absl::OkStatus());
  EXPECT_EQ(writer->Finish()->size(), 10u);
}

TEST_F(PiecesTest, AHandlerWithoutItsMessage) {
  const auto reader = stub_.Get(context_, Called("no message"));
  const absl::Status status = reader->ReadMessage().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ended the call with OK before its response message"));
}

TEST_F(PiecesTest, AHandlerWhosePieceComesFirst) {
  const auto reader = stub_.Get(context_, Called("piece first"));
  const absl::Status status = reader->ReadMessage().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("WriteMessage comes before the pieces"));
}

TEST_F(PiecesTest, AHandlerWithTwoMessages) {
  const auto reader = stub_.Get(context_, Called("two messages", 5));
  ASSERT_TRUE(reader->ReadMessage().ok());
  const absl::Status status = reader->Read().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("WriteMessage was called before"));
}

TEST_F(PiecesTest, AClientThatReadsPiecesBeforeTheMessage) {
  const auto reader = stub_.Get(context_, Called("get", 5));
  const absl::Status status = reader->Read().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ReadMessage comes first"));
}

TEST_F(PiecesTest, AHandlerThatIsNotOverridden) {
  Pieces::Service bare;
  const PieceServer server(bare);
  Pieces::Stub stub(server.MakeChannel());
  EXPECT_EQ(stub.Get(context_, Thing())->ReadMessage().status().code(), absl::StatusCode::kUnimplemented);
  ClientContext context;
  EXPECT_EQ(stub.Put(context, Thing())->Finish().status().code(), absl::StatusCode::kUnimplemented);
}

// Peers whose definition of the method differs.
class LyingClient : public PiecesTest {
 protected:
  std::unique_ptr<internal::RawClientStream> Start() {
    static constexpr Method kPut{"/pagewire.semantics.Pieces/Put", PayloadDirection::kRequest,
                                 MethodType::kClientStreaming};
    return internal::StartStream(channel_, kPut, context_);
  }
  absl::Status Finish(internal::RawClientStream& stream) {
    std::promise<absl::Status> end;
    stream.Finish([&end](absl::Status status) { end.set_value(std::move(status)); });
    return end.get_future().get();
  }
  std::shared_ptr<Channel> channel_ = server_.MakeChannel();
};

TEST_F(LyingClient, APieceWithoutTheMessage) {
  const auto stream = Start();
  stream->Write({std::string(), PatternAt(0, 10)}, false, [](absl::Status) {});
  const absl::Status status = Finish(*stream);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("this is a piece"));
  EXPECT_TRUE(context_.not_started());
}

TEST_F(LyingClient, ASecondMessage) {
  const auto stream = Start();
  stream->Write({}, false, [](absl::Status) {});
  stream->Write({}, false, [](absl::Status) {});
  EXPECT_EQ(Finish(*stream).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LyingClient, APieceWithAMessage) {
  const auto stream = Start();
  stream->Write({}, false, [](absl::Status) {});
  stream->Write({"text", PatternAt(0, 10)}, false, [](absl::Status) {});
  EXPECT_EQ(Finish(*stream).code(), absl::StatusCode::kInternal);
  service_.AwaitEnd();
  EXPECT_EQ(service_.seen(), 0u);
}

TEST_F(LyingClient, NoMessageAtAll) {
  const auto stream = Start();
  stream->WritesDone([](absl::Status) {});
  const absl::Status status = Finish(*stream);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ended its request before the message"));
}

// Each form of client with each form of service.
class PieceFormsTest : public ::testing::TestWithParam<std::tuple<Form, Form>> {
 protected:
  static constexpr uint64_t kSize = 3 * kMiB + 17;
  const std::unique_ptr<Service> service_ = MakePieceService(std::get<1>(GetParam()));
  PieceServer server_{*service_};
  Pieces::Stub stub_{server_.MakeChannel()};
  ClientContext context_;
};

#ifdef __cpp_impl_coroutine
Task<absl::StatusOr<Thing>> PutAll(AsyncClientWriter<Payload, Thing> writer, uint64_t size) {
  for (uint64_t at = 0; at < size; at += 200'000) {
    absl::Status status = co_await writer.Write(PatternAt(at, std::min<uint64_t>(200'000, size - at)));
    if (!status.ok()) break;
  }
  co_return co_await writer.Finish();
}

Task<absl::StatusOr<Thing>> GetAll(AsyncClientPieceReader<Thing> reader) {
  absl::StatusOr<Thing> head = co_await reader.ReadMessage();
  if (!head.ok()) co_return head;
  Checker checker;
  for (;;) {
    absl::StatusOr<std::optional<Payload>> piece = co_await reader.Read();
    if (!piece.ok()) co_return piece.status();
    if (!piece->has_value()) break;
    checker.Take(**piece);
  }
  head->set_right(checker.right() && checker.size() == head->size());
  absl::Status status = co_await reader.Finish();
  if (!status.ok()) co_return status;
  co_return head;
}
#endif

// Waits for callbacks one by one, which is enough to use every one of them.
template <typename Value>
struct Wait {
  std::promise<Value> promise;
  absl::AnyInvocable<void(Value)> done() {
    return [this](Value value) { promise.set_value(std::move(value)); };
  }
  Value get() { return promise.get_future().get(); }
};

TEST_P(PieceFormsTest, Put) {
  absl::StatusOr<Thing> reply = absl::InternalError("not called");
  switch (std::get<0>(GetParam())) {
    case Form::kBlocking: {
      const auto writer = stub_.Put(context_, Thing());
      ASSERT_EQ(writer->Write(PatternAt(0, kSize)), absl::OkStatus());
      reply = writer->Finish();
      break;
    }
    case Form::kCallback: {
      const AsyncClientWriter<Payload, Thing> writer = stub_.Callback().Put(context_, Thing());
      Wait<absl::Status> first, second;
      writer.Write(PatternAt(0, kMiB), first.done());
      writer.Write(PatternAt(kMiB, kSize - kMiB), second.done());  // before the first is answered
      EXPECT_EQ(first.get(), absl::OkStatus());
      EXPECT_EQ(second.get(), absl::OkStatus());
      Wait<absl::StatusOr<Thing>> finish;
      writer.Finish(finish.done());
      reply = finish.get();
      break;
    }
    case Form::kCoroutine:
#ifdef __cpp_impl_coroutine
      reply = pagewire::Wait(PutAll(stub_.Co().Put(context_, Thing()), kSize));
#endif
      break;
  }
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->size(), kSize);
  EXPECT_TRUE(reply->right());
}

TEST_P(PieceFormsTest, Get) {
  const Thing request = Called("get", kSize);
  absl::StatusOr<Thing> head = absl::InternalError("not called");
  Checker checker;
  switch (std::get<0>(GetParam())) {
    case Form::kBlocking: {
      const auto reader = stub_.Get(context_, request);
      head = reader->ReadMessage();
      ASSERT_TRUE(head.ok()) << head.status();
      absl::StatusOr<std::optional<Payload>> piece = reader->Read();
      for (; piece.ok() && piece->has_value(); piece = reader->Read()) checker.Take(**piece);
      EXPECT_EQ(reader->Finish(), absl::OkStatus());
      break;
    }
    case Form::kCallback: {
      const AsyncClientPieceReader<Thing> reader = stub_.Callback().Get(context_, request);
      Wait<absl::StatusOr<Thing>> message;
      reader.ReadMessage(message.done());
      head = message.get();
      ASSERT_TRUE(head.ok()) << head.status();
      for (;;) {
        Wait<absl::StatusOr<std::optional<Payload>>> read;
        reader.Read(read.done());
        const absl::StatusOr<std::optional<Payload>> piece = read.get();
        ASSERT_TRUE(piece.ok()) << piece.status();
        if (!piece->has_value()) break;
        checker.Take(**piece);
      }
      Wait<absl::Status> finish;
      reader.Finish(finish.done());
      EXPECT_EQ(finish.get(), absl::OkStatus());
      break;
    }
    case Form::kCoroutine:
#ifdef __cpp_impl_coroutine
      head = pagewire::Wait(GetAll(stub_.Co().Get(context_, request)));
#endif
      ASSERT_TRUE(head.ok()) << head.status();
      EXPECT_TRUE(head->right());
      return;
  }
  EXPECT_EQ(head->size(), kSize);
  EXPECT_EQ(checker.size(), kSize);
  EXPECT_TRUE(checker.right());
}

TEST_P(PieceFormsTest, Swap) {
  const auto stream = stub_.Swap(context_, Called("swap"));
  std::future<absl::Status> written = std::async(std::launch::async, [&] {
    const absl::Status status = stream->Write(PatternAt(0, kSize));
    return status.ok() ? stream->WritesDone() : status;
  });
  ASSERT_TRUE(stream->ReadMessage().ok());
  Checker checker;
  absl::StatusOr<std::optional<Payload>> piece = stream->Read();
  for (; piece.ok() && piece->has_value(); piece = stream->Read()) checker.Take(**piece);
  EXPECT_EQ(written.get(), absl::OkStatus());
  EXPECT_EQ(stream->Finish(), absl::OkStatus());
  EXPECT_EQ(checker.size(), kSize);
  EXPECT_TRUE(checker.right());
}

constexpr Form kForms[] = {Form::kBlocking, Form::kCallback, Form::kCoroutine};
INSTANTIATE_TEST_SUITE_P(Forms, PieceFormsTest,
                         ::testing::Combine(::testing::ValuesIn(kForms), ::testing::ValuesIn(kForms)),
                         [](const auto& each) {
                           return NameOfForm(std::get<0>(each.param)) + "Client" + NameOfForm(std::get<1>(each.param)) +
                                  "Service";
                         });

}  // namespace
}  // namespace pagewire::semantics
