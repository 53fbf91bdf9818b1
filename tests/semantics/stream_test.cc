// Streams of messages, in the blocking form, over TCP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "integration/blob_service.h"
#include "semantics/semantics_service.h"

namespace pagewire::semantics {
namespace {

using ::testing::HasSubstr;

Item Numbered(uint64_t number, std::string text = {}) {
  Item item;
  item.set_number(number);
  item.set_text(std::move(text));
  return item;
}

class StreamTest : public SemanticsTest {
 protected:
  Order OrderOf(uint64_t count) {
    Order order;
    order.set_count(count);
    return order;
  }

  // An ordinary call, to see that the connection is none the worse.
  void ExpectWorks(Semantics::Stub& stub) {
    ClientContext context;
    const auto writer = stub.Collect(context);
    ASSERT_EQ(writer->Write(Numbered(7)), absl::OkStatus());
    absl::StatusOr<Summary> summary = writer->Finish();
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->numbers(), 7u);
  }
};

TEST_F(StreamTest, ServerStreaming) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto reader = stub.Produce(context, OrderOf(1000));
  for (uint64_t i = 0; i < 1000; ++i) {
    absl::StatusOr<std::optional<Item>> item = reader->Read();
    ASSERT_TRUE(item.ok()) << item.status();
    ASSERT_TRUE(item->has_value()) << i;
    ASSERT_EQ((*item)->number(), i);
    if (i == 0) {
      EXPECT_EQ(context.GetServerInitialMetadata().find("kind")->second, "numbers") << "before the call has ended";
    }
  }
  EXPECT_EQ(*reader->Read(), std::nullopt);
  EXPECT_EQ(*reader->Read(), std::nullopt) << "as often as one asks";
  EXPECT_EQ(reader->Finish(), absl::OkStatus());
  EXPECT_EQ(context.GetServerTrailingMetadata().find("count")->second, "1000");
}

TEST_F(StreamTest, ServerStreamingWithoutMessages) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto reader = stub.Produce(context, OrderOf(0));
  EXPECT_EQ(*reader->Read(), std::nullopt);
  EXPECT_EQ(reader->Finish(), absl::OkStatus());
  EXPECT_EQ(context.GetServerInitialMetadata().find("kind")->second, "numbers");
}

TEST_F(StreamTest, AnErrorAfterMessages) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  Order order = OrderOf(3);
  order.set_code(static_cast<uint32_t>(absl::StatusCode::kOutOfRange));
  order.set_message("\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n");
  const auto reader = stub.Produce(context, order);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(reader->Read()->has_value());
  EXPECT_EQ(reader->Read().status(), absl::OutOfRangeError(order.message()));
  EXPECT_EQ(reader->Finish(), absl::OutOfRangeError(order.message()));
}

TEST_F(StreamTest, ClientStreaming) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto writer = stub.Collect(context);
  for (uint64_t i = 1; i <= 1000; ++i) ASSERT_EQ(writer->Write(Numbered(i)), absl::OkStatus());
  EXPECT_EQ(writer->WritesDone(), absl::OkStatus());
  EXPECT_EQ(writer->Write(Numbered(1)).code(), absl::StatusCode::kFailedPrecondition);
  absl::StatusOr<Summary> summary = writer->Finish();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->count(), 1000u);
  EXPECT_EQ(summary->numbers(), 500'500u);
}

TEST_F(StreamTest, ClientStreamingWithoutMessages) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  absl::StatusOr<Summary> summary = stub.Collect(context)->Finish();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->count(), 0u);
}

TEST_F(StreamTest, EmptyMessagesAreMessages) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto writer = stub.Collect(context);
  // More than the credit of a call holds of them: they are granted as they are read.
  for (int i = 0; i < 20'000; ++i) ASSERT_EQ(writer->Write(Item()), absl::OkStatus());
  EXPECT_EQ(writer->Finish()->count(), 20'000u);
}

TEST_F(StreamTest, AnAnswerBeforeTheRequestHasEndedStopsTheWriter) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto writer = stub.Collect(context);
  ASSERT_EQ(writer->Write(Numbered(1, "enough")), absl::OkStatus());
  absl::Status status;
  while (status.ok()) status = writer->Write(Numbered(2));
  EXPECT_EQ(status, absl::ResourceExhaustedError("no more, please"));
  EXPECT_EQ(writer->Finish().status(), absl::ResourceExhaustedError("no more, please"));
  ExpectWorks(stub);
}

TEST_F(StreamTest, AGoodAnswerBeforeTheRequestHasEndedStopsTheWriter) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto writer = stub.Collect(context);
  ASSERT_EQ(writer->Write(Numbered(5, "fine")), absl::OkStatus());
  absl::Status status;
  while (status.ok()) status = writer->Write(Numbered(2));
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("Finish gives its status"));
  absl::StatusOr<Summary> summary = writer->Finish();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->numbers(), 5u);
}

TEST_F(StreamTest, PingPong) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Chat(context);
  for (uint64_t i = 0; i < 200; ++i) {
    ASSERT_EQ(stream->Write(Numbered(i, std::string(i * 10, 'x'))), absl::OkStatus());
    absl::StatusOr<std::optional<Item>> item = stream->Read();
    ASSERT_TRUE(item.ok() && item->has_value()) << item.status();
    ASSERT_EQ((*item)->number(), i);
    ASSERT_EQ((*item)->text().size(), i * 10);
  }
  EXPECT_EQ(stream->WritesDone(), absl::OkStatus());
  EXPECT_EQ(*stream->Read(), std::nullopt);
  EXPECT_EQ(stream->Finish(), absl::OkStatus());
  EXPECT_EQ(context.GetServerTrailingMetadata().find("mood-bin")->second, std::string("\0\xff", 2));
}

TEST_F(StreamTest, EmptyStream) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Chat(context);
  EXPECT_EQ(stream->WritesDone(), absl::OkStatus());
  EXPECT_EQ(*stream->Read(), std::nullopt);
  EXPECT_EQ(stream->Finish(), absl::OkStatus());
}

TEST_F(StreamTest, BothDirectionsAtOnceInOrder) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Chat(context);
  constexpr uint64_t kItems = 5'000;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kItems; ++i) ASSERT_EQ(stream->Write(Numbered(i, "some text")), absl::OkStatus());
    EXPECT_EQ(stream->WritesDone(), absl::OkStatus());
  });
  for (uint64_t i = 0; i < kItems; ++i) {
    absl::StatusOr<std::optional<Item>> item = stream->Read();
    ASSERT_TRUE(item.ok() && item->has_value()) << item.status();
    ASSERT_EQ((*item)->number(), i);
  }
  writer.join();
  EXPECT_EQ(*stream->Read(), std::nullopt);
  EXPECT_EQ(stream->Finish(), absl::OkStatus());
}

TEST_F(StreamTest, PayloadsWithEachMessage) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.ChatPayloads(context);
  const std::vector<uint64_t> sizes = {0, 1, 4095, 4096, 4097, 1 << 20, (3 << 20) + 5, 0, 65536};
  std::thread writer([&] {
    for (const uint64_t size : sizes) {
      ASSERT_EQ(stream->Write(Numbered(size), test::MakePayload(size, size)), absl::OkStatus());
    }
    EXPECT_EQ(stream->WritesDone(), absl::OkStatus());
  });
  for (const uint64_t size : sizes) {
    absl::StatusOr<std::optional<WithPayload<Item>>> item = stream->Read();
    ASSERT_TRUE(item.ok() && item->has_value()) << item.status();
    EXPECT_EQ((*item)->message.number(), size);
    ASSERT_EQ((*item)->payload.size(), size);
    EXPECT_EQ(test::HashOf((*item)->payload), test::ExpectedHash(size, size));
  }
  writer.join();
  EXPECT_EQ(stream->Finish(), absl::OkStatus());
}

TEST_F(StreamTest, ManyPayloadsOneWay) {
  Semantics::Stub stub(MakeChannel());
  ClientContext put_context;
  const auto writer = stub.CollectPayloads(put_context);
  for (uint64_t i = 0; i < 50; ++i) {
    ASSERT_EQ(writer->Write(Numbered(i), test::MakePayload(1'000'000, i)), absl::OkStatus());
  }
  absl::StatusOr<Summary> summary = writer->Finish();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->payload_bytes(), 50'000'000u);

  ClientContext get_context;
  Order order = OrderOf(50);
  order.set_payload_size(1'000'000);
  const auto reader = stub.ProducePayloads(get_context, order);
  for (uint64_t i = 0; i < 50; ++i) {
    absl::StatusOr<std::optional<WithPayload<Item>>> item = reader->Read();
    ASSERT_TRUE(item.ok() && item->has_value()) << item.status();
    EXPECT_EQ(test::HashOf((*item)->payload), test::ExpectedHash(1'000'000, i));
  }
  EXPECT_EQ(reader->Finish(), absl::OkStatus());
}

// A handler that does not read stops its own writer, and nobody else on the connection.
TEST_F(StreamTest, ASlowReaderStopsItsOwnStreamOnly) {
  Semantics::Stub stub(MakeChannel());
  ClientContext stuck_context;
  const auto stuck = stub.Stuck(stuck_context);
  std::atomic<uint64_t> written = 0;
  constexpr uint64_t kItems = 10'000;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kItems; ++i) {
      ASSERT_EQ(stuck->Write(Numbered(1, std::string(1000, 'x'))), absl::OkStatus());
      ++written;
    }
  });
  // 10 MB are to be written, and the call has credit of 1 MiB.
  for (int i = 0; i < 20; ++i) {
    ClientContext context;
    const auto stream = stub.Chat(context);
    for (uint64_t k = 0; k < 50; ++k) {
      ASSERT_EQ(stream->Write(Numbered(k, std::string(2000, 'y'))), absl::OkStatus());
      ASSERT_EQ((**stream->Read()).number(), k);
    }
    EXPECT_EQ(stream->Finish(), absl::OkStatus());
  }
  EXPECT_LT(written, 5'000u) << "unread messages are bounded by the call's credit";
  service_.go_on.CountDown();
  writer.join();
  EXPECT_EQ(stuck->Finish()->numbers(), kItems);
}

// The same for payloads: a call that is not read takes no more of the budget than its credit and one item.
TEST_F(StreamTest, UnreadPayloadsStopTheirWriter) {
  Semantics::Stub stub(MakeChannel());
  ClientContext stuck_context;
  const auto stuck = stub.Stuck(stuck_context);
  std::atomic<uint64_t> written = 0;
  std::thread writer([&] {
    for (uint64_t i = 0; i < 100; ++i) {
      ASSERT_EQ(stuck->Write(Numbered(i), test::MakePayload(1 << 20, i)), absl::OkStatus());
      ++written;
    }
  });
  for (int i = 0; i < 50; ++i) ExpectWorks(stub);
  EXPECT_LT(written, 10u);
  service_.go_on.CountDown();
  writer.join();
  EXPECT_EQ(stuck->Finish()->payload_bytes(), 100u << 20);
}

TEST_F(StreamTest, AClientThatDoesNotReadStopsTheHandler) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  Order order = OrderOf(200'000);
  order.set_text_size(1000);
  const auto reader = stub.Produce(context, order);
  ASSERT_TRUE(reader->Read()->has_value());
  for (int i = 0; i < 50; ++i) ExpectWorks(stub);
  context.TryCancel();
  absl::StatusOr<std::optional<Item>> item;
  do {
    item = reader->Read();
  } while (item.ok());
  EXPECT_EQ(item.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(reader->Finish().code(), absl::StatusCode::kCancelled);
  ExpectWorks(stub);
}

TEST_F(StreamTest, FinishDropsWhatWasNotRead) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  Order order = OrderOf(20'000);
  order.set_text_size(1000);
  const auto reader = stub.Produce(context, order);
  ASSERT_TRUE(reader->Read()->has_value());
  EXPECT_EQ(reader->Finish(), absl::OkStatus());
  ExpectWorks(stub);
}

TEST_F(StreamTest, DestroyingAStreamCancelsIt) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  auto stream = stub.Hang(context);
  ASSERT_EQ(stream->WaitForInitialMetadata(), absl::OkStatus());
  stream.reset();
  service_.AwaitCancelled(1);
}

TEST_F(StreamTest, DestroyingTheContextCancelsTheCall) {
  Semantics::Stub stub(MakeChannel());
  auto context = std::make_unique<ClientContext>();
  const auto stream = stub.Hang(*context);
  ASSERT_EQ(stream->WaitForInitialMetadata(), absl::OkStatus());
  context.reset();
  service_.AwaitCancelled(1);
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kCancelled);
}

TEST_F(StreamTest, CancelWakesReaderAndHandler) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Hang(context);
  ASSERT_EQ(stream->WaitForInitialMetadata(), absl::OkStatus());
  EXPECT_EQ(context.GetServerInitialMetadata().find("state")->second, "hanging");
  std::thread canceller([&] { context.TryCancel(); });
  EXPECT_EQ(stream->Read().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(stream->Write(Item()).code(), absl::StatusCode::kCancelled);
  canceller.join();
  service_.AwaitCancelled(1);
  EXPECT_EQ(service_.last_read().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(service_.last_write().code(), absl::StatusCode::kCancelled);
}

TEST_F(StreamTest, CancelAfterFirstResponse) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Chat(context);
  ASSERT_EQ(stream->Write(Numbered(1)), absl::OkStatus());
  ASSERT_EQ((*stream->Read())->number(), 1u);
  context.TryCancel();
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kCancelled);
  ExpectWorks(stub);
}

TEST_F(StreamTest, DeadlineInAStream) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  context.set_timeout(absl::Seconds(2));  // long enough to reach the handler
  const auto stream = stub.Hang(context);
  ASSERT_EQ(stream->WaitForInitialMetadata(), absl::OkStatus());
  EXPECT_EQ(stream->Read().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kDeadlineExceeded);
  service_.AwaitCancelled(1);
}

TEST_F(StreamTest, AHandlerThatThrows) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  EXPECT_EQ(stub.Throw(context)->Finish(),
            absl::InternalError("handler of /pagewire.semantics.Semantics/Throw threw: out of ideas"));
  ExpectWorks(stub);
}

TEST_F(StreamTest, UnimplementedMethod) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Missing(context);
  EXPECT_EQ(stream->Read().status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(StreamTest, WithoutAServer) {
  const auto channel = MakeChannel();
  server_->Shutdown(absl::Now());
  Semantics::Stub stub(channel);
  ClientContext context;
  const auto stream = stub.Chat(context);
  EXPECT_EQ(stream->Read().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(stream->Write(Item()).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(context.not_started());

  ClientContext used;
  const auto first = stub.Chat(used);
  EXPECT_EQ(stub.Chat(used)->Finish().code(), absl::StatusCode::kFailedPrecondition) << "a context serves one call";
}

TEST_F(StreamTest, AServerThatShutsDownEndsStreams) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Chat(context);
  ASSERT_EQ(stream->Write(Item()), absl::OkStatus());
  ASSERT_TRUE(stream->Read()->has_value());
  server_->Shutdown(absl::Now());
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kUnavailable);
}

TEST_F(StreamTest, AMessageAboveTheLimit) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Chat(context);
  ASSERT_EQ(stream->Write(Numbered(1)), absl::OkStatus());
  ASSERT_TRUE(stream->Read()->has_value());
  stream->Write(Numbered(2, std::string(5 << 20, 'x'))).IgnoreError();
  const absl::Status status = stream->Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("raise ServerBuilder::SetMaxMessageBytes"));
  ExpectWorks(stub);
}

TEST_F(StreamTest, AThousandStreamsOnOneChannel) {
  Semantics::Stub stub(MakeChannel());
  constexpr int kStreams = 1000;
  std::vector<ClientContext> contexts(kStreams);
  std::vector<std::unique_ptr<ClientReaderWriter<Item, Item>>> streams;
  for (ClientContext& context : contexts) streams.push_back(stub.Chat(context));
  for (uint64_t round = 0; round < 3; ++round) {
    for (const auto& stream : streams) ASSERT_EQ(stream->Write(Numbered(round)), absl::OkStatus());
    for (const auto& stream : streams) ASSERT_EQ((**stream->Read()).number(), round);
  }
  for (const auto& stream : streams) EXPECT_EQ(stream->Finish(), absl::OkStatus());
}

}  // namespace
}  // namespace pagewire::semantics
