#include "transport/frame_reader.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "transport/page.h"
#include "wire/frame_prefix.h"

namespace pagewire::transport {
namespace {

// The most that follow_length makes us read together with a chunk; more waits for the next read.
constexpr size_t kMostBehindChunk = kPageBytes;

}  // namespace

FrameReader::FrameReader(Sink& sink, const wire::FrameLimits& limits, bool exact)
    : sink_(sink), exact_(exact), decoder_(limits) {}

size_t FrameReader::ReadAhead() const {
  if (!exact_) return kPageBytes;
  return preface_.done() && decoder_.prefix_follows() ? wire::kFramePrefixBytes : 0;
}

size_t FrameReader::RoomBehindChunk() const {
  if (!exact_) return kPageBytes;
  // A chunk is followed by a prefix, whatever the hint says.
  return std::clamp<size_t>(decoder_.frame().prefix.follow_length, wire::kFramePrefixBytes, kMostBehindChunk);
}

IoResult FrameReader::ReadSome(ByteStream& stream) {
  wait_for_ = 1;
  if (decoder_.chunk_remaining() > 0) return ReadChunk(stream);
  const size_t wanted = (preface_.done() ? decoder_.wanted() : preface_.wanted()) + ReadAhead();
  buffer_.resize(std::max(buffer_.size(), wanted));
  const iovec into = {buffer_.data(), wanted};
  IoResult result = stream.Read({&into, 1});
  if (result.state == IoState::kEnd) {
    if (absl::Status truncated = Truncated(); !truncated.ok()) return IoResult::Failed(std::move(truncated));
  }
  if (result.state != IoState::kOk) return result;
  absl::Status status = Consume(std::string_view(buffer_.data(), result.bytes));
  return status.ok() ? result : IoResult::Failed(std::move(status));
}

IoResult FrameReader::ReadChunk(ByteStream& stream) {
  // What follows the chunk comes with the same read.
  const size_t room = RoomBehindChunk();
  buffer_.resize(std::max(buffer_.size(), room));
  ChunkTarget::Result result =
      target_->Receive(stream, decoder_.chunk_remaining(), absl::MakeSpan(buffer_.data(), room));
  wait_for_ = result.wait_for;
  if (result.io.state == IoState::kEnd) return IoResult::Failed(Truncated());
  if (result.io.state != IoState::kOk) return std::move(result.io);
  Advance(result.io.bytes - result.behind);
  absl::Status status = Consume(std::string_view(buffer_.data(), result.behind));
  return status.ok() ? std::move(result.io) : IoResult::Failed(std::move(status));
}

absl::Status FrameReader::Consume(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!preface_.done()) {
      absl::StatusOr<size_t> taken = preface_.Decode(bytes);
      if (!taken.ok()) return std::move(taken).status();
      bytes.remove_prefix(*taken);
      if (preface_.done()) {
        if (absl::Status status = sink_.OnPreface(preface_.preface()); !status.ok()) return status;
      }
      continue;
    }
    if (decoder_.chunk_remaining() > 0) {
      const size_t size = std::min<size_t>(bytes.size(), decoder_.chunk_remaining());
      target_->Append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      Advance(size);
      continue;
    }
    absl::StatusOr<wire::FrameDecoder::Step> step = decoder_.Decode(bytes);
    if (!step.ok()) return std::move(step).status();
    bytes.remove_prefix(step->consumed);
    if (step->event != wire::FrameDecoder::Event::kFrame) continue;
    absl::Status status = decoder_.chunk_remaining() > 0 ? BeginChunk() : sink_.OnFrame(decoder_.frame());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status FrameReader::BeginChunk() {
  target_ = nullptr;
  chunk_length_ = decoder_.chunk_remaining();
  absl::Status status = sink_.OnChunk(std::get<wire::v1::Chunk>(decoder_.frame().body), chunk_length_, target_);
  if (target_ == nullptr) target_ = &discard_;
  return status;
}

void FrameReader::DropChunk() { target_ = &discard_; }

void FrameReader::Advance(size_t bytes) {
  decoder_.ConsumeChunk(bytes);
  if (decoder_.chunk_remaining() == 0) sink_.OnChunkReceived(chunk_length_);
}

absl::Status FrameReader::Truncated() const {
  if (!preface_.done()) return absl::UnavailableError("the peer closed the connection before its preface was complete");
  if (decoder_.at_boundary()) return absl::OkStatus();
  return absl::UnavailableError("the peer closed the connection in the middle of a frame");
}

}  // namespace pagewire::transport
