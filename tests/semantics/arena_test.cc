// Messages that need no memory of their own for each call: the arena service, and clients that fill their own messages.
#include <gmock/gmock.h>
#include <google/protobuf/arena.h>
#include <gtest/gtest.h>
#include <pagewire/internal/message_reserve.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/latch.h"
#include "base/mutex.h"
#include "blob.pagewire.h"
#include "semantics/semantics_service.h"

namespace pagewire::semantics {
namespace {

using google::protobuf::Arena;
using internal::MessageReserve;
using test::Blob;
using test::BlobReply;
using test::BlobRequest;
using ::testing::HasSubstr;

Payload Bytes(size_t size) { return Payload::FromCord(absl::Cord(std::string(size, 'p'))); }

// Answers with the request's name, and checks that nothing of earlier calls is left.
class ArenaBlob final : public Blob::ArenaService {
 public:
  absl::Status Echo(ServerContext&, const BlobRequest& request, BlobReply& reply) override {
    if (request.text() == "throw") throw std::runtime_error("as was asked for");
    if (request.code() != 0) return absl::Status(static_cast<absl::StatusCode>(request.code()), request.text());
    return Answer(request, 0, reply);
  }
  absl::Status Put(ServerContext&, const BlobRequest& request, Payload payload, BlobReply& reply) override {
    return Answer(request, payload.size(), reply);
  }
  absl::Status Get(ServerContext&, const BlobRequest& request, BlobReply& reply, Payload& reply_payload) override {
    reply_payload = Bytes(request.size());
    return Answer(request, request.size(), reply);
  }
  absl::Status Swap(ServerContext&, const BlobRequest& request, Payload payload, BlobReply& reply,
                    Payload& reply_payload) override {
    reply_payload = payload;
    return Answer(request, payload.size(), reply);
  }

  // How many different messages have been used.
  size_t replies() const {
    base::MutexLock lock(mutex_);
    return replies_.size();
  }

 private:
  absl::Status Answer(const BlobRequest& request, uint64_t size, BlobReply& reply) {
    if (reply.ByteSizeLong() != 0) return absl::InternalError("the reply is not empty");
    if (request.GetArena() == nullptr || reply.GetArena() != request.GetArena()) {
      return absl::InternalError("the messages are on no arena");
    }
    reply.set_name(request.name());
    reply.set_size(size);
    base::MutexLock lock(mutex_);
    replies_.insert(&reply);
    return absl::OkStatus();
  }

  mutable base::Mutex mutex_;
  std::set<const BlobReply*> replies_ ABSL_GUARDED_BY(mutex_);
};

class ArenaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServerBuilder builder;
    builder.RegisterService(&service_);
    absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = std::make_unique<Blob::Stub>(CreateInProcessChannel(*server_));
  }

  static BlobRequest Named(const std::string& name, uint64_t size = 0) {
    BlobRequest request;
    request.set_name(name);
    request.set_size(size);
    return request;
  }

  ArenaBlob service_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Blob::Stub> stub_;
};

TEST_F(ArenaTest, AllDirectionsOfPayloads) {
  for (int round = 0; round < 3; ++round) {
    const std::string name = "a name that is longer than what a string holds by itself " + std::to_string(round);
    ClientContext echo, put, get, swap;
    EXPECT_EQ(stub_->Echo(echo, Named(name))->name(), name);
    EXPECT_EQ(stub_->Put(put, Named(name), Bytes(100'000))->size(), 100'000u);
    const auto got = stub_->Get(get, Named(name, 50'000));
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->message.name(), name);
    EXPECT_EQ(got->payload.size(), 50'000u);
    const auto swapped = stub_->Swap(swap, Named(name), Bytes(70'000));
    ASSERT_TRUE(swapped.ok()) << swapped.status();
    EXPECT_EQ(swapped->payload.size(), 70'000u);
  }
}

TEST_F(ArenaTest, MessagesAreUsedAgain) {
  for (int i = 0; i < 50; ++i) {
    ClientContext context;
    EXPECT_EQ(stub_->Echo(context, Named("name"))->name(), "name");
  }
  EXPECT_LE(service_.replies(), 2u) << "one, and maybe a second where a call begins before the last has let go";
}

TEST_F(ArenaTest, LargeMessagesAreNotKept) {
  const std::string name(1 << 20, 'n');
  for (int i = 0; i < 3; ++i) {
    ClientContext context;
    EXPECT_EQ(stub_->Echo(context, Named(name))->name(), name);
  }
  ClientContext context;
  EXPECT_EQ(stub_->Echo(context, Named("small"))->name(), "small");
}

TEST_F(ArenaTest, ErrorsAreThoseOfAnyHandler) {
  ClientContext failing, throwing, missing;
  BlobRequest request;
  request.set_code(static_cast<uint32_t>(absl::StatusCode::kNotFound));
  request.set_text("not here");
  EXPECT_EQ(stub_->Echo(failing, request).status(), absl::NotFoundError("not here"));
  request.set_text("throw");
  const absl::Status thrown = stub_->Echo(throwing, request).status();
  EXPECT_EQ(thrown.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(thrown.message()), HasSubstr("as was asked for"));
  EXPECT_EQ(stub_->Missing(missing, request).status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(ArenaTest, AClientFillsItsOwnMessage) {
  Arena arena;
  BlobReply& reply = *Arena::CreateMessage<BlobReply>(&arena);
  reply.set_hash(7);
  Payload payload;
  ClientContext echo, put, get, swap;
  EXPECT_EQ(stub_->Into().Echo(echo, Named("first"), reply), absl::OkStatus());
  EXPECT_EQ(reply.name(), "first");
  EXPECT_EQ(reply.hash(), 0u) << "what was there before is gone";
  EXPECT_EQ(stub_->Into().Put(put, Named("second"), Bytes(9000), reply), absl::OkStatus());
  EXPECT_EQ(reply.size(), 9000u);
  EXPECT_EQ(stub_->Into().Get(get, Named("third", 10'000), reply, payload), absl::OkStatus());
  EXPECT_EQ(payload.size(), 10'000u);
  EXPECT_EQ(stub_->Into().Swap(swap, Named("fourth"), Bytes(11'000), reply, payload), absl::OkStatus());
  EXPECT_EQ(payload.size(), 11'000u);
  EXPECT_EQ(reply.name(), "fourth");
}

TEST_F(ArenaTest, AClientFillsItsOwnMessageWithACallback) {
  BlobReply reply;
  Payload payload;
  ClientContext good, bad;
  absl::Status status, error;
  testing::Latch done(2);
  stub_->Into().Get(good, Named("name", 10'000), reply, payload, [&](absl::Status ended) {
    status = std::move(ended);
    done.CountDown();
  });
  BlobRequest request;
  request.set_code(static_cast<uint32_t>(absl::StatusCode::kAborted));
  BlobReply other;
  stub_->Into().Echo(bad, request, other, [&](absl::Status ended) {
    error = std::move(ended);
    done.CountDown();
  });
  done.Wait();
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(reply.name(), "name");
  EXPECT_EQ(payload.size(), 10'000u);
  EXPECT_EQ(error.code(), absl::StatusCode::kAborted);
}

TEST(ArenaStubTest, WithoutAChannel) {
  Blob::Stub stub(nullptr);
  ClientContext context;
  BlobReply reply;
  EXPECT_EQ(stub.Into().Echo(context, BlobRequest(), reply).code(), absl::StatusCode::kFailedPrecondition);
}

// Streams of an arena service are those of Service; what is read into one item keeps its memory.
class ArenaSemantics final : public Semantics::ArenaService {
 public:
  absl::StatusOr<Summary> CollectPayloads(ServerContext&, ServerReader<WithPayload<Item>>& reader) override {
    Summary summary;
    WithPayload<Item> item;
    for (;;) {
      const absl::StatusOr<bool> read = reader.ReadInto(item);
      if (!read.ok()) return read.status();
      if (!*read) return summary;
      Add(item.message, summary);
      summary.set_payload_bytes(summary.payload_bytes() + item.payload.size());
    }
  }
  absl::Status Chat(ServerContext&, ServerReaderWriter<Item, Item>& stream) override {
    Item item;
    for (;;) {
      const absl::StatusOr<bool> read = stream.ReadInto(item);
      if (!read.ok() || !*read) return read.status();
      if (absl::Status status = stream.Write(item); !status.ok()) return status;
    }
  }
};

TEST(ArenaStreamTest, ReadsIntoOneItem) {
  ArenaSemantics service;
  ServerBuilder builder;
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  Semantics::Stub stub(CreateInProcessChannel(**server));
  {
    ClientContext context;
    const auto writer = stub.CollectPayloads(context);
    Item item;
    item.set_number(3);
    EXPECT_EQ(writer->Write(item, Bytes(5000)), absl::OkStatus());
    EXPECT_EQ(writer->Write(item, Payload()), absl::OkStatus()) << "no payload: nothing is left of the one before";
    const auto summary = writer->Finish();
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->numbers(), 6u);
    EXPECT_EQ(summary->payload_bytes(), 5000u);
  }
  ClientContext context;
  const auto stream = stub.Chat(context);
  Item item;
  const char* memory = nullptr;
  for (int i = 0; i < 10; ++i) {
    Item out;
    out.set_text("a text that is longer than what a string holds by itself");
    if (i != 5) out.set_number(i);
    EXPECT_EQ(stream->Write(out), absl::OkStatus());
    const absl::StatusOr<bool> read = stream->ReadInto(item);
    ASSERT_TRUE(read.ok() && *read) << read.status();
    EXPECT_EQ(item.number(), i == 5 ? 0u : static_cast<uint64_t>(i));
    EXPECT_EQ(item.text(), out.text());
    if (memory == nullptr) memory = item.text().data();
    EXPECT_EQ(item.text().data(), memory);
  }
  EXPECT_EQ(stream->WritesDone(), absl::OkStatus());
  const absl::StatusOr<bool> read = stream->ReadInto(item);
  EXPECT_TRUE(read.ok() && !*read) << read.status();
  EXPECT_EQ(stream->Finish(), absl::OkStatus());
}

TEST(MessageReserveTest, ASetComesBackEmptyWithItsMemory) {
  MessageReserve reserve(BlobRequest::default_instance(), BlobReply::default_instance());
  auto set = reserve.Take();
  auto* const reply = static_cast<BlobReply*>(set->reply);
  std::string name(1000, 'n');
  reply->set_name(name);  // copied: a moved one would bring its own memory
  const char* const memory = reply->name().data();
  reserve.GiveBack(std::move(set), 1000);
  set = reserve.Take();
  EXPECT_EQ(set->reply, reply);
  EXPECT_EQ(reply->ByteSizeLong(), 0u);
  name.resize(900);
  reply->set_name(name);
  EXPECT_EQ(reply->name().data(), memory);
}

TEST(MessageReserveTest, LargeOnesAreNotKept) {
  MessageReserve reserve(BlobRequest::default_instance(), BlobReply::default_instance());
  auto set = reserve.Take();
  const std::string name(100'000, 'n');
  static_cast<BlobReply*>(set->reply)->set_name(name);
  reserve.GiveBack(std::move(set), name.size());
  set = reserve.Take();
  EXPECT_LT(static_cast<BlobReply*>(set->reply)->name().capacity(), name.size());
}

TEST(MessageReserveTest, CallsAtOnceHaveMessagesOfTheirOwn) {
  MessageReserve reserve(BlobRequest::default_instance(), BlobReply::default_instance());
  std::set<const void*> replies;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::unique_ptr<MessageReserve::Set>> sets;
    for (int i = 0; i < 60; ++i) {
      sets.push_back(reserve.Take());
      replies.insert(sets.back()->reply);
    }
    for (auto& set : sets) reserve.GiveBack(std::move(set), 0);
  }
  EXPECT_EQ(replies.size(), 60u) << "and the second round those of the first";
}

}  // namespace
}  // namespace pagewire::semantics
