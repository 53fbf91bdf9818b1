#include "transport/write_batch.h"

#include <absl/strings/cord.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "transport/lent_memory.h"

namespace pagewire::transport::testing {
namespace {

// Takes as many bytes as it is told to, then blocks or fails.
class Sink final : public ByteStream {
 public:
  size_t room = std::numeric_limits<size_t>::max();
  size_t at_once = std::numeric_limits<size_t>::max();
  absl::Status broken;
  std::string written;

  void Start(Observer*) override {}
  IoResult Read(absl::Span<const iovec>) override { return IoResult::Blocked(); }
  IoResult Write(absl::Span<const iovec> from, WriteOptions) override {
    if (!broken.ok()) return IoResult::Failed(broken);
    size_t left = std::min(room, at_once);
    if (left == 0) return IoResult::Blocked();
    const size_t before = written.size();
    for (const iovec& piece : from) {
      const size_t size = std::min(left, piece.iov_len);
      written.append(static_cast<const char*>(piece.iov_base), size);
      left -= size;
    }
    room -= written.size() - before;
    return IoResult::Ok(written.size() - before);
  }
  void CloseWrite() override {}
  void Abort() override {}
  bool SendQueueEmpty() override { return true; }
  const std::string& peer() const override { return peer_; }
  bool same_host() const override { return true; }
  int fd() const override { return -1; }

 private:
  const std::string peer_ = "sink";
};

Payload ManyPieces(const std::string& bytes, size_t piece) {
  absl::Cord cord;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    auto* copy = new std::string(bytes.substr(at, piece));
    cord.Append(absl::MakeCordFromExternal(*copy, [copy] { delete copy; }));
  }
  return Payload::FromCord(std::move(cord));
}

TEST(WriteBatchTest, FramesAndPayloadRangesGoOutInOrder) {
  WriteBatch batch;
  EXPECT_TRUE(batch.empty());
  PayloadCursor cursor(ManyPieces("0123456789", 3));
  batch.head() += "head ";
  batch.AppendPayload(cursor, 4);
  batch.head() += " middle ";
  batch.AppendPayload(cursor, 5);
  batch.head() += " end";
  EXPECT_EQ(batch.bytes(), 5u + 4 + 8 + 5 + 4);
  EXPECT_EQ(cursor.remaining(), 1u);
  Sink sink;
  EXPECT_EQ(batch.WriteTo(sink).state, IoState::kOk);
  EXPECT_EQ(sink.written, "head 0123 middle 45678 end");
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0u);
}

TEST(WriteBatchTest, WritesMayStopAnywhere) {
  const std::string payload = Pattern(1000);
  for (size_t at_once = 1; at_once < 40; ++at_once) {
    for (size_t room = 0; room < 60; ++room) {
      WriteBatch batch;
      PayloadCursor cursor(ManyPieces(payload, 7));
      batch.head() += "frame";
      batch.AppendPayload(cursor, 20);
      batch.head() += "another";
      batch.AppendPayload(cursor, 21);
      Sink sink;
      sink.at_once = at_once;
      sink.room = room;
      const IoResult first = batch.WriteTo(sink);
      EXPECT_EQ(first.state, room < 53 ? IoState::kBlocked : IoState::kOk);
      EXPECT_EQ(batch.bytes(), 53 - std::min<size_t>(room, 53));
      EXPECT_EQ(batch.empty(), room >= 53);
      if (room < 53) batch.head() += "!";  // frames may still be added
      sink.room = std::numeric_limits<size_t>::max();
      EXPECT_EQ(batch.WriteTo(sink).state, IoState::kOk);
      EXPECT_EQ(sink.written,
                "frame" + payload.substr(0, 20) + "another" + payload.substr(20, 21) + (room < 53 ? "!" : ""));
    }
  }
}

TEST(WriteBatchTest, APayloadIsHeldUntilItIsWritten) {
  LentMemory lent(100);
  WriteBatch batch;
  {
    PayloadCursor cursor(lent.Lend());
    batch.AppendPayload(cursor, 100);
  }
  Sink sink;
  sink.room = 99;
  EXPECT_EQ(batch.WriteTo(sink).state, IoState::kBlocked);
  EXPECT_EQ(lent.returned(), 0);
  sink.room = 1;
  EXPECT_EQ(batch.WriteTo(sink).state, IoState::kOk);
  lent.AwaitReturn();
}

TEST(WriteBatchTest, AFailureIsPassedOnAndClearReturnsWhatIsHeld) {
  LentMemory lent(100);
  WriteBatch batch;
  {
    PayloadCursor cursor(lent.Lend());
    batch.AppendPayload(cursor, 100);
  }
  Sink sink;
  sink.broken = absl::UnavailableError("gone");
  const IoResult result = batch.WriteTo(sink);
  EXPECT_EQ(result.state, IoState::kFailed);
  EXPECT_EQ(result.error, absl::UnavailableError("gone"));
  EXPECT_EQ(lent.returned(), 0);
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  lent.AwaitReturn();
}

}  // namespace
}  // namespace pagewire::transport::testing
