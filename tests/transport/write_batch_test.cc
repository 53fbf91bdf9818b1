#include "transport/write_batch.h"

#include <absl/strings/cord.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/lent_memory.h"
#include "transport/stub_stream.h"

namespace pagewire::transport::testing {
namespace {

// Takes as many bytes as it is told to, then blocks or fails.
class Sink final : public StubStream {
 public:
  size_t room = std::numeric_limits<size_t>::max();
  size_t at_once = std::numeric_limits<size_t>::max();
  absl::Status broken;
  std::string written;
  std::vector<size_t> record_ends;  // in `written`
  std::optional<CopyReason> must_copy;
  std::string spliced;
  std::vector<uint64_t> tags;  // one for each send without a copy

  IoResult Write(absl::Span<const iovec> from, WriteOptions options) override {
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
    size_t asked = 0;
    for (const iovec& piece : from) asked += piece.iov_len;
    if (options.end_of_record && written.size() - before == asked) record_ends.push_back(written.size());
    return IoResult::Ok(written.size() - before);
  }
  IoResult WriteZerocopy(absl::Span<const iovec> from, WriteOptions options, uint64_t tag) override {
    if (must_copy.has_value()) return IoResult::MustCopy(*must_copy);
    IoResult result = Write(from, options);
    if (result.state == IoState::kOk) tags.push_back(tag);
    return result;
  }
  IoResult WriteSpliced(absl::Span<const iovec> from) override {
    if (must_copy.has_value()) return IoResult::MustCopy(*must_copy);
    const size_t before = written.size();
    IoResult result = Write(from, {});
    spliced += written.substr(before);
    return result;
  }
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
  AckLedger ledger;
  WriteBatch batch(ledger);
  EXPECT_TRUE(batch.empty());
  PayloadCursor cursor(ManyPieces("0123456789", 3));
  batch.head() += "head ";
  batch.AppendChunk(cursor, 4, {});
  batch.head() += " middle ";
  batch.AppendChunk(cursor, 5, {});
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
      AckLedger ledger;
      WriteBatch batch(ledger);
      PayloadCursor cursor(ManyPieces(payload, 7));
      batch.head() += "frame";
      batch.AppendChunk(cursor, 20, {});
      batch.head() += "another";
      batch.AppendChunk(cursor, 21, {});
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
  AckLedger ledger;
  WriteBatch batch(ledger);
  {
    PayloadCursor cursor(lent.Lend());
    batch.AppendChunk(cursor, 100, {});
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
  AckLedger ledger;
  WriteBatch batch(ledger);
  {
    PayloadCursor cursor(lent.Lend());
    batch.AppendChunk(cursor, 100, {});
  }
  Sink sink;
  sink.broken = absl::UnavailableError("gone");
  const IoResult result = batch.WriteTo(sink);
  EXPECT_EQ(result.state, IoState::kFailed);
  EXPECT_EQ(result.error, absl::UnavailableError("gone"));
  EXPECT_EQ(lent.returned(), 0);
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  ledger.OnDead();
  lent.AwaitReturn();
}

ChunkSend Zerocopy(uint64_t end, std::shared_ptr<TransferReport> report) {
  return {{SendPath::kZerocopy}, 1, end, std::move(report)};
}

TEST(WriteBatchTest, AChunkWithoutACopyIsARecordOfItsOwn) {
  LentMemory lent(8192);
  AckLedger ledger;
  WriteBatch batch(ledger);
  auto report = std::make_shared<TransferReport>();
  PayloadCursor cursor(lent.Lend());
  batch.head() += "frames";
  batch.AppendChunk(cursor, 4096, Zerocopy(4096, report));
  cursor = PayloadCursor(Payload());
  Sink sink;
  sink.at_once = 3000;
  EXPECT_EQ(batch.WriteTo(sink).state, IoState::kOk);
  EXPECT_EQ(sink.written, "frames" + lent.bytes().substr(0, 4096));
  EXPECT_THAT(sink.record_ends, ::testing::ElementsAre(6, 6 + 4096));
  EXPECT_THAT(sink.tags, ::testing::ElementsAre(1, 1)) << "two sends, one hold";
  EXPECT_EQ(ledger.references(), 2u);
  EXPECT_EQ(report->kernel_copied_bytes, 0u);
  ledger.OnPeerReceived(4096);
  ledger.OnKernelReleased(1);
  EXPECT_EQ(ledger.holds(), 1u);
  EXPECT_EQ(lent.returned(), 0);
  ledger.OnKernelReleased(1);
  EXPECT_EQ(ledger.holds(), 0u);
  lent.AwaitReturn();
}

TEST(WriteBatchTest, ASplicedChunkIsHeldUntilThePeerHasReleasedIt) {
  LentMemory lent(8192);
  AckLedger ledger;
  WriteBatch batch(ledger);
  {
    PayloadCursor cursor(lent.Lend());
    batch.head() += "frames";
    batch.AppendChunk(cursor, 8192, {{SendPath::kSplice}, 1, 8192, nullptr});
    batch.head() += "more";
  }
  Sink sink;
  sink.at_once = 3000;
  EXPECT_EQ(batch.WriteTo(sink).state, IoState::kOk);
  EXPECT_EQ(sink.written, "frames" + lent.bytes() + "more");
  EXPECT_EQ(sink.spliced, lent.bytes());
  EXPECT_EQ(ledger.references(), 0u);
  ledger.OnPeerReceived(8192);
  EXPECT_EQ(ledger.holds(), 1u);
  ledger.OnPeerReleased(1, 1);
  EXPECT_EQ(ledger.holds(), 0u);
}

TEST(WriteBatchTest, ABlockedSendLeavesNoReference) {
  LentMemory lent(4096);
  AckLedger ledger;
  WriteBatch batch(ledger);
  {
    PayloadCursor cursor(lent.Lend());
    batch.AppendChunk(cursor, 4096, Zerocopy(4096, nullptr));
  }
  Sink sink;
  sink.room = 0;
  EXPECT_EQ(batch.WriteTo(sink).state, IoState::kBlocked);
  EXPECT_EQ(ledger.references(), 0u);
  EXPECT_EQ(ledger.holds(), 1u);
  ledger.OnDead();
}

TEST(WriteBatchTest, WhatCannotGoWithoutACopyIsCopiedAndSaysWhy) {
  LentMemory lent(8192);
  AckLedger ledger;
  WriteBatch batch(ledger);
  auto report = std::make_shared<TransferReport>();
  {
    PayloadCursor cursor(lent.Lend());
    batch.AppendChunk(cursor, 8192, Zerocopy(8192, report));
  }
  Sink sink;
  sink.room = 5000;
  EXPECT_EQ(batch.WriteTo(sink).state, IoState::kBlocked);
  sink.room = 1 << 20;
  sink.must_copy = CopyReason::kEnobufs;
  EXPECT_EQ(batch.WriteTo(sink).state, IoState::kOk);
  EXPECT_EQ(sink.written, lent.bytes());
  EXPECT_THAT(sink.record_ends, ::testing::ElementsAre(8192)) << "it is a record all the same";
  EXPECT_EQ(report->kernel_copied_bytes, 8192u - 5000);
  EXPECT_EQ(report->kernel_copied_by_reason[static_cast<size_t>(CopyReason::kEnobufs)], 8192u - 5000);
  EXPECT_EQ(ledger.references(), 1u);
  ledger.OnPeerReceived(8192);
  EXPECT_EQ(ledger.holds(), 1u) << "the first part is still the kernel's";
  ledger.OnKernelReleased(1);
  EXPECT_EQ(ledger.holds(), 0u);
}

}  // namespace
}  // namespace pagewire::transport::testing
