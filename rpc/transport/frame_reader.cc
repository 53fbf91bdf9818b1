#include "transport/frame_reader.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>

#include "transport/page.h"

namespace pagewire::transport {
namespace {

// Bytes that nobody wants are received here, again and again. Small, so that it stays in cache.
constexpr size_t kScratchBytes = 64 << 10;

}  // namespace

FrameReader::FrameReader(Sink& sink, const wire::FrameLimits& limits) : sink_(sink), decoder_(limits) {}

IoResult FrameReader::ReadSome(ByteStream& stream) {
  if (decoder_.chunk_remaining() > 0) return ReadChunk(stream);
  const size_t wanted = preface_.done() ? decoder_.wanted() : preface_.wanted();
  buffer_.resize(std::max(buffer_.size(), wanted + kPageBytes));
  const iovec into = {buffer_.data(), wanted + kPageBytes};
  IoResult result = stream.Read({&into, 1});
  if (result.state == IoState::kEnd) {
    if (absl::Status truncated = Truncated(); !truncated.ok()) return IoResult::Failed(std::move(truncated));
  }
  if (result.state != IoState::kOk) return result;
  absl::Status status = Consume(std::string_view(buffer_.data(), result.bytes));
  return status.ok() ? result : IoResult::Failed(std::move(status));
}

IoResult FrameReader::ReadChunk(ByteStream& stream) {
  // What follows the chunk, up to a page of it, comes with the same read.
  buffer_.resize(std::max<size_t>(buffer_.size(), kPageBytes));
  places_.push_back({buffer_.data(), kPageBytes});
  IoResult result = stream.Read(absl::MakeConstSpan(places_).subspan(first_place_));
  places_.pop_back();
  if (result.state == IoState::kEnd) return IoResult::Failed(Truncated());
  if (result.state != IoState::kOk) return result;
  const size_t of_chunk = std::min<size_t>(result.bytes, decoder_.chunk_remaining());
  Advance(of_chunk);
  absl::Status status = Consume(std::string_view(buffer_.data(), result.bytes - of_chunk));
  return status.ok() ? result : IoResult::Failed(std::move(status));
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
      TakeChunkBytes(bytes);
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
  places_.clear();
  first_place_ = 0;
  chunk_length_ = decoder_.chunk_remaining();
  absl::Status status = sink_.OnChunk(std::get<wire::v1::Chunk>(decoder_.frame().body), chunk_length_, places_);
  if (status.ok() && places_.empty()) ThrowAway(chunk_length_);
  return status;
}

void FrameReader::DropChunk() {
  places_.clear();
  first_place_ = 0;
  ThrowAway(decoder_.chunk_remaining());
}

void FrameReader::ThrowAway(uint64_t length) {
  if (scratch_ == nullptr) scratch_ = std::make_unique<char[]>(kScratchBytes);
  while (length > 0) {
    places_.push_back({scratch_.get(), std::min<uint64_t>(length, kScratchBytes)});
    length -= places_.back().iov_len;
  }
}

void FrameReader::TakeChunkBytes(std::string_view& bytes) {
  const iovec& place = places_[first_place_];
  const size_t size = std::min(bytes.size(), place.iov_len);
  std::memcpy(place.iov_base, bytes.data(), size);
  bytes.remove_prefix(size);
  Advance(size);
}

void FrameReader::Advance(size_t bytes) {
  decoder_.ConsumeChunk(bytes);
  while (bytes > 0) {
    iovec& place = places_[first_place_];
    const size_t size = std::min(bytes, place.iov_len);
    place.iov_base = static_cast<char*>(place.iov_base) + size;
    place.iov_len -= size;
    bytes -= size;
    if (place.iov_len == 0) ++first_place_;
  }
  if (decoder_.chunk_remaining() == 0) sink_.OnChunkReceived(chunk_length_);
}

absl::Status FrameReader::Truncated() const {
  if (!preface_.done()) return absl::UnavailableError("the peer closed the connection before its preface was complete");
  if (decoder_.at_boundary()) return absl::OkStatus();
  return absl::UnavailableError("the peer closed the connection in the middle of a frame");
}

}  // namespace pagewire::transport
