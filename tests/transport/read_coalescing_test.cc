#include "transport/read_coalescing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "transport/in_process_stream.h"
#include "transport/raw_peer.h"
#include "transport/session_end.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kMuch = ReadCoalescing::kWorthIt;
constexpr uint64_t kBytes = ReadCoalescing::kBytes;

TEST(ReadCoalescingTest, WaitsOnlyWhereMuchIsToCome) {
  const ReadCoalescing coalescing;
  EXPECT_EQ(coalescing.Next(0), 1u);
  EXPECT_EQ(coalescing.Next(kMuch - 1), 1u);
  EXPECT_EQ(coalescing.Next(kMuch), kBytes);
  EXPECT_EQ(coalescing.Next(uint64_t{1} << 40), kBytes);
}

TEST(ReadCoalescingTest, ReadsAsItComesForAWhileWhereItWaitedInVain) {
  ReadCoalescing coalescing;
  coalescing.OnLate();
  EXPECT_EQ(coalescing.Next(kMuch), 1u);
  coalescing.OnRead(ReadCoalescing::kPause - 1);
  EXPECT_EQ(coalescing.Next(kMuch), 1u);
  coalescing.OnRead(2);
  EXPECT_EQ(coalescing.Next(kMuch), kBytes);
}

// Keeps to its read threshold as TCP does, by reading ahead of its session.
class ThresholdStream final : public ByteStream, private ByteStream::Observer {
 public:
  explicit ThresholdStream(std::unique_ptr<ByteStream> inner) : inner_(std::move(inner)) {}

  size_t threshold() const { return threshold_; }

  void Start(ByteStream::Observer* observer) override {
    observer_ = observer;
    inner_->Start(this);
  }
  void Detach() override { inner_->Detach(); }
  IoResult Read(absl::Span<const iovec> into) override {
    size_t wanted = 0;
    size_t count = 0;
    for (const iovec& place : into) {
      const size_t size = std::min(place.iov_len, buffer_.size() - count);
      std::memcpy(place.iov_base, buffer_.data() + count, size);
      count += size;
      wanted += place.iov_len;
    }
    if (count == 0) return ended_ ? IoResult::End() : IoResult::Blocked();
    buffer_.erase(0, count);
    IoResult result = IoResult::Ok(count);
    result.drained = count < wanted && !ended_;
    return result;
  }
  IoResult Write(absl::Span<const iovec> from, WriteOptions options) override { return inner_->Write(from, options); }
  bool SetReadThreshold(size_t bytes) override {
    threshold_ = bytes;
    return true;
  }
  void CloseWrite() override { inner_->CloseWrite(); }
  void Abort() override { inner_->Abort(); }
  bool SendQueueEmpty() override { return inner_->SendQueueEmpty(); }
  const std::string& peer() const override { return inner_->peer(); }
  bool same_host() const override { return inner_->same_host(); }
  int fd() const override { return -1; }

 private:
  void OnReadable() override {
    for (;;) {
      char bytes[4096];
      const iovec into = {bytes, sizeof(bytes)};
      const IoResult result = inner_->Read({&into, 1});
      if (result.state != IoState::kOk) {
        ended_ = result.state != IoState::kBlocked;
        break;
      }
      buffer_.append(bytes, result.bytes);
    }
    if (ended_ || buffer_.size() >= threshold_) observer_->OnReadable();
  }
  void OnWritable() override { observer_->OnWritable(); }

  const std::unique_ptr<ByteStream> inner_;
  ByteStream::Observer* observer_ = nullptr;
  std::string buffer_;
  size_t threshold_ = 1;
  bool ended_ = false;
};

// A session over it, whose peer has begun call 1 with a payload of 4 MiB, which may flow, and sent 64 KiB of it, which
// wait.
class CoalescingSessionTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kSize = 4 << 20;

  CoalescingSessionTest() {
    auto [session_stream, peer_stream] = MakeInProcessPair(loop_, loop_, {.buffer_bytes = 8 << 20});
    auto stream = std::make_unique<ThresholdStream>(std::move(session_stream));
    stream_ = stream.get();
    session_ = std::make_unique<SessionEnd>(loop_, std::move(stream), TestOptions(false));
    peer_ = std::make_unique<RawPeer>(loop_, std::move(peer_stream), true);
    peer_->Greet();
    peer_->StartCall(1, "/s/M", "hello", 1);
    EXPECT_EQ(stream_->threshold(), 1u);
    peer_->BeginPayload(1, 1, kSize, /*covered=*/false);
    SendChunk();
    session_->TakeEvents();
    peer_->TakeAll();
  }

  void SendChunk() {
    peer_->Chunk(1, sent_, Pattern(64 << 10));
    sent_ += 64 << 10;
  }

  ManualLoop loop_;
  ThresholdStream* stream_;
  std::unique_ptr<SessionEnd> session_;
  std::unique_ptr<RawPeer> peer_;
  uint64_t sent_ = 0;
};

TEST_F(CoalescingSessionTest, ReadsOnWhenMuchHasCome) {
  EXPECT_EQ(stream_->threshold(), kBytes);
  while (sent_ < kBytes - (64 << 10)) SendChunk();
  EXPECT_THAT(peer_->Take<wire::v1::Ack>(), IsEmpty()) << "it has not read";
  SendChunk();
  ASSERT_THAT(peer_->Take<wire::v1::Ack>(), SizeIs(::testing::Ge(1)));
  EXPECT_EQ(stream_->threshold(), kBytes);
  while (sent_ < kSize) SendChunk();
  EXPECT_EQ(stream_->threshold(), 1u) << "little is to come";
  peer_->EndPayload(1, kSize);
  EXPECT_THAT(session_->payloads, SizeIs(1));
}

TEST_F(CoalescingSessionTest, WhatStandsBehindIsReadInTime) {
  SendChunk();
  peer_->Ping(7);
  EXPECT_THAT(peer_->Take<wire::v1::Ping>(), IsEmpty());
  loop_.AdvanceTime(absl::Milliseconds(1));
  loop_.RunUntilIdle();
  EXPECT_THAT(peer_->Take<wire::v1::Ping>(), SizeIs(1));
  EXPECT_EQ(stream_->threshold(), 1u) << "from a sender so slow everything is read as it comes";
  SendChunk();
  peer_->Ping(8);
  EXPECT_THAT(peer_->Take<wire::v1::Ping>(), SizeIs(1));
}

TEST_F(CoalescingSessionTest, NothingMoreIsWaitedForWhenThePayloadIsGivenUp) {
  peer_->AbortPayload(1, sent_);
  loop_.AdvanceTime(absl::Milliseconds(1));
  loop_.RunUntilIdle();
  EXPECT_EQ(stream_->threshold(), 1u);
  // Nor later, when it would be worth it again: nothing of that payload counts any more.
  for (uint64_t id = 2; id < 200; ++id) {
    peer_->StartCall(id, "/s/M", "hello", id);
    peer_->WholePayload(id, id, Pattern(64 << 10));
    session_->payloads.clear();
    ASSERT_EQ(stream_->threshold(), 1u);
  }
}

TEST_F(CoalescingSessionTest, TheRestOfAPayloadThatNobodyWantsIsWaitedForToo) {
  session_->SendStatus(1, absl::StatusCode::kCancelled, "no");
  loop_.RunUntilIdle();
  for (int i = 0; i < 8; ++i) SendChunk();
  EXPECT_EQ(stream_->threshold(), kBytes);
  peer_->AbortPayload(1, sent_);
  loop_.AdvanceTime(absl::Milliseconds(1));
  loop_.RunUntilIdle();
  EXPECT_EQ(stream_->threshold(), 1u);
}

TEST_F(CoalescingSessionTest, TheEndIsToldAtOnce) {
  peer_->Vanish();
  loop_.RunUntilIdle();
  EXPECT_TRUE(session_->closed().has_value());
}

TEST_F(CoalescingSessionTest, ASessionMayGoWhileItWaits) {
  session_.reset();
  loop_.AdvanceTime(absl::Seconds(1));
  loop_.RunUntilIdle();
}

}  // namespace
}  // namespace pagewire::transport::testing
