#include "transport/map_target.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <string>

#include "payload/pool.h"
#include "transport/lent_memory.h"
#include "transport/page.h"
#include "transport/stub_stream.h"

namespace pagewire::transport::testing {
namespace {

// Says to Map what it is told to say, and has bytes for Read.
class ScriptedStream final : public StubStream {
 public:
  std::deque<MapResult> answers;
  std::deque<MapRequest> requests;
  std::string behind;  // what Map puts behind the pages
  std::string bytes;   // what Read returns

  IoResult Read(absl::Span<const iovec> into) override {
    size_t read = 0;
    for (const iovec& piece : into) {
      const size_t size = std::min(piece.iov_len, bytes.size());
      std::memcpy(piece.iov_base, bytes.data(), size);
      bytes.erase(0, size);
      read += size;
    }
    return read == 0 ? IoResult::Blocked() : IoResult::Ok(read);
  }
  MapResult Map(const MapRequest& request) override {
    requests.push_back(request);
    if (answers.empty()) return MapResult::Without(IoState::kBlocked);
    MapResult answer = std::move(answers.front());
    answers.pop_front();
    if (answer.behind > 0) std::memcpy(request.behind.data(), behind.data(), answer.behind);
    return answer;
  }
};

MapResult Mapped(size_t pages, size_t must_read = 0, size_t behind = 0) {
  MapResult result;
  result.mapped = pages * kPageBytes;
  result.must_read = must_read;
  result.behind = behind;
  return result;
}

class MapTargetTest : public ::testing::Test {
 protected:
  MapTargetTest() : arena_(*Arena::Create({.bytes = 8 << 20})), pieces_(pool_) {}

  uint64_t copied(CopyReason reason) const { return report_.copied(reason); }

  // Mapped pages have no content here, so only the copied part of a payload is looked at.
  uint64_t Size() { return pieces_.Take().size(); }

  memory::Pool pool_;
  std::shared_ptr<Arena> arena_;
  PayloadPieces pieces_;
  TransferReport report_;
  ScriptedStream stream_;
};

TEST_F(MapTargetTest, AWholeChunkIsOneCall) {
  MapTarget target(3 << 20, *arena_, pieces_, report_);
  stream_.answers = {Mapped(64, 0, 20)};
  stream_.behind = std::string(20, 'f');
  target.BeginChunk();
  std::string behind(20, ' ');
  const ChunkTarget::Result result = target.Receive(stream_, 64 * kPageBytes, absl::MakeSpan(behind));
  EXPECT_EQ(result.io.state, IoState::kOk);
  EXPECT_EQ(result.io.bytes, 64 * kPageBytes + 20);
  EXPECT_EQ(result.behind, 20u);
  EXPECT_EQ(behind, stream_.behind);
  EXPECT_EQ(stream_.requests[0].length, 64 * kPageBytes);
  EXPECT_EQ(report_.mapped_bytes, 64 * kPageBytes);
}

TEST_F(MapTargetTest, WaitsForTheRestOfTheChunk) {
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  ChunkTarget::Result result = target.Receive(stream_, 64 * kPageBytes, {});
  EXPECT_EQ(result.io.state, IoState::kBlocked);
  EXPECT_EQ(result.wait_for, 64 * kPageBytes);
  stream_.answers = {Mapped(10)};
  EXPECT_EQ(target.Receive(stream_, 64 * kPageBytes, {}).io.bytes, 10 * kPageBytes);
  result = target.Receive(stream_, 54 * kPageBytes, {});
  EXPECT_EQ(result.io.state, IoState::kBlocked);
  EXPECT_EQ(result.wait_for, 54 * kPageBytes);
  EXPECT_EQ(stream_.requests[1].address + 10 * kPageBytes, stream_.requests[2].address);
}

TEST_F(MapTargetTest, AHoleIsCopiedAndMappingGoesOnBehindIt) {
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  stream_.answers = {Mapped(2, kPageBytes), Mapped(5)};
  stream_.bytes = std::string(kPageBytes, 'x');
  EXPECT_EQ(target.Receive(stream_, 8 * kPageBytes, {}).io.bytes, 2 * kPageBytes);
  EXPECT_EQ(target.Receive(stream_, 6 * kPageBytes, {}).io.bytes, kPageBytes);
  EXPECT_EQ(target.Receive(stream_, 5 * kPageBytes, {}).io.bytes, 5 * kPageBytes);
  EXPECT_EQ(report_.mapped_bytes, 7 * kPageBytes);
  EXPECT_EQ(copied(CopyReason::kCompoundPage), kPageBytes);
  EXPECT_EQ(Size(), 8 * kPageBytes);
}

TEST_F(MapTargetTest, InTheMiddleOfAPageOnlyItsRestIsCopied) {
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  target.Append(std::string(100, 'h'));  // came with the header
  // The kernel calls all of the rest unmappable; behind the page boundary it is not.
  stream_.answers = {Mapped(0, 8 * kPageBytes - 100), Mapped(7)};
  stream_.bytes = std::string(kPageBytes - 100, 'x');
  EXPECT_EQ(target.Receive(stream_, 8 * kPageBytes - 100, {}).io.bytes, 0u);
  EXPECT_EQ(target.Receive(stream_, 8 * kPageBytes - 100, {}).io.bytes, kPageBytes - 100);
  EXPECT_EQ(target.Receive(stream_, 7 * kPageBytes, {}).io.bytes, 7 * kPageBytes);
  EXPECT_EQ(copied(CopyReason::kUnaligned), kPageBytes);
  EXPECT_EQ(report_.mapped_bytes, 7 * kPageBytes);
  const Payload payload = pieces_.Take().Build();
  ASSERT_EQ(payload.size(), 8 * kPageBytes);
  EXPECT_EQ(Flat(payload.Slice(0, kPageBytes)), std::string(100, 'h') + std::string(kPageBytes - 100, 'x'));
}

TEST_F(MapTargetTest, LessThanAPageOfAChunkIsCopied) {
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  stream_.answers = {Mapped(0, 10)};
  stream_.bytes = std::string(kPageBytes, 'x');
  EXPECT_EQ(target.Receive(stream_, kPageBytes, {}).io.bytes, 0u);
  EXPECT_EQ(target.Receive(stream_, kPageBytes, {}).io.bytes, 10u);
  EXPECT_EQ(target.Receive(stream_, kPageBytes - 10, {}).io.bytes, kPageBytes - 10);
  EXPECT_EQ(copied(CopyReason::kPartialPage), kPageBytes - 10);
}

TEST_F(MapTargetTest, WhatMapPutsBehindIsTheChunksWhenItIsNotWhole) {
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  stream_.answers = {Mapped(1, kPageBytes - 30, 30)};
  stream_.behind = std::string(30, 'b');
  stream_.bytes = std::string(kPageBytes - 30, 'x');
  std::string behind(64, ' ');
  ChunkTarget::Result result = target.Receive(stream_, 2 * kPageBytes, absl::MakeSpan(behind));
  EXPECT_EQ(result.io.bytes, kPageBytes + 30);
  EXPECT_EQ(result.behind, 0u);
  result = target.Receive(stream_, kPageBytes - 30, absl::MakeSpan(behind));
  EXPECT_EQ(result.io.bytes, kPageBytes - 30);
  const Payload payload = pieces_.Take().Build();
  EXPECT_EQ(Flat(payload.Slice(kPageBytes, kPageBytes)), std::string(30, 'b') + std::string(kPageBytes - 30, 'x'));
}

TEST_F(MapTargetTest, AChunkWithoutAPageToMapEndsTheAttemptsForThisPayload) {
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  stream_.answers = {Mapped(0, 4 * kPageBytes)};
  stream_.bytes = std::string(4 * kPageBytes, 'x');
  EXPECT_EQ(target.Receive(stream_, 4 * kPageBytes, {}).io.bytes, 0u);
  EXPECT_EQ(target.Receive(stream_, 4 * kPageBytes, {}).io.bytes, 4 * kPageBytes);
  target.BeginChunk();
  stream_.bytes = std::string(4 * kPageBytes, 'y');
  EXPECT_EQ(target.Receive(stream_, 4 * kPageBytes, {}).io.bytes, 4 * kPageBytes);
  EXPECT_EQ(stream_.requests.size(), 1u);
  EXPECT_EQ(copied(CopyReason::kCompoundPage), 8 * kPageBytes);
}

TEST_F(MapTargetTest, WhatCannotMapAtAllIsCopied) {
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  stream_.answers = {MapResult::Without(IoState::kMustCopy)};
  stream_.bytes = std::string(4 * kPageBytes, 'x');
  EXPECT_EQ(target.Receive(stream_, 4 * kPageBytes, {}).io.bytes, 4 * kPageBytes);
  EXPECT_EQ(copied(CopyReason::kKernelUnsupported), 4 * kPageBytes);
}

TEST_F(MapTargetTest, WithoutAddressesItCopies) {
  const auto all = arena_->TryAllocate(8 << 20);
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  stream_.bytes = std::string(4 * kPageBytes, 'x');
  EXPECT_EQ(target.Receive(stream_, 4 * kPageBytes, {}).io.bytes, 4 * kPageBytes);
  EXPECT_EQ(copied(CopyReason::kBudget), 4 * kPageBytes);
}

TEST_F(MapTargetTest, WithoutMemoryForAHoleTheRestIsThrownAway) {
  memory::Pool small({.reserve_bytes = 4 << 20});
  std::vector<memory::Block> all;
  for (auto block = small.TryAllocate(kPageBytes); block.ok(); block = small.TryAllocate(kPageBytes)) {
    all.push_back(*std::move(block));
  }
  PayloadPieces pieces(small);
  MapTarget target(1 << 20, *arena_, pieces, report_);
  target.BeginChunk();
  stream_.answers = {Mapped(0, kPageBytes)};
  stream_.bytes = std::string(4 * kPageBytes, 'x');
  uint64_t left = 4 * kPageBytes;
  while (left > 0) left -= target.Receive(stream_, left, {}).io.bytes;
  EXPECT_EQ(target.failure().code(), absl::StatusCode::kResourceExhausted);
  target.Append("more");
}

TEST_F(MapTargetTest, EndsAndFailuresArePassedOn) {
  MapTarget target(1 << 20, *arena_, pieces_, report_);
  target.BeginChunk();
  stream_.answers = {MapResult::Without(IoState::kEnd), MapResult::Failed(absl::UnavailableError("gone"))};
  EXPECT_EQ(target.Receive(stream_, kPageBytes, {}).io.state, IoState::kEnd);
  const ChunkTarget::Result result = target.Receive(stream_, kPageBytes, {});
  EXPECT_EQ(result.io.state, IoState::kFailed);
  EXPECT_EQ(result.io.error, absl::UnavailableError("gone"));
}

}  // namespace
}  // namespace pagewire::transport::testing
