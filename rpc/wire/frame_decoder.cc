#include "wire/frame_decoder.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cassert>

#include "wire/frame_rules.h"

namespace pagewire::wire {
namespace {

// What an idle decoder keeps of the memory it gathered a frame in, so that thousands of idle connections cost little.
constexpr size_t kKeptCapacity = 4 << 10;

}  // namespace

FrameDecoder::FrameDecoder(const FrameLimits& limits) : limits_(limits) {}

absl::StatusOr<FrameDecoder::Step> FrameDecoder::Decode(std::string_view bytes) {
  if (!failed_.ok()) return failed_;
  Forget();
  const size_t given = bytes.size();
  absl::StatusOr<Event> event = Advance(bytes);
  if (!event.ok()) failed_ = event.status();
  assert(InvariantHolds());
  if (!event.ok()) return failed_;
  return Step{given - bytes.size(), *event};
}

// Takes bytes off the front of `bytes` until there is something to tell.
absl::StatusOr<FrameDecoder::Event> FrameDecoder::Advance(std::string_view& bytes) {
  if (state_ == State::kChunk) return Event::kChunk;
  if (state_ == State::kPrefix) {
    const std::optional<std::string_view> whole = Gather(kFramePrefixBytes, bytes);
    if (!whole.has_value()) return Event::kNeedMore;
    absl::StatusOr<FramePrefix> prefix = DecodeFramePrefix(*whole, limits_);
    gathered_.clear();
    if (!prefix.ok()) return prefix.status();
    frame_.prefix = *prefix;
    if (KnownFrameType(prefix->type).has_value()) {
      state_ = State::kRest;
    } else {
      state_ = State::kSkip;
      skip_remaining_ = uint64_t{prefix->body_length} + prefix->data_length + prefix->chunk_length;
    }
  }
  if (state_ == State::kSkip) {
    const uint64_t skipped = std::min<uint64_t>(skip_remaining_, bytes.size());
    bytes.remove_prefix(skipped);
    skip_remaining_ -= skipped;
    if (skip_remaining_ > 0) return Event::kNeedMore;
    state_ = State::kPrefix;
    return Event::kSkipped;
  }
  const size_t length = size_t{frame_.prefix.body_length} + frame_.prefix.data_length;
  const std::optional<std::string_view> rest = Gather(length, bytes);
  if (!rest.has_value()) return Event::kNeedMore;
  whole_ = !gathered_.empty();
  if (absl::Status status = FinishFrame(*rest); !status.ok()) return status;
  chunk_remaining_ = frame_.prefix.chunk_length;
  state_ = chunk_remaining_ > 0 ? State::kChunk : State::kPrefix;
  return Event::kFrame;
}

// The next `length` bytes in one piece: in `bytes` itself where all of them are there, else gathered over several
// calls.
std::optional<std::string_view> FrameDecoder::Gather(size_t length, std::string_view& bytes) {
  if (gathered_.empty() && bytes.size() >= length) {
    const std::string_view whole = bytes.substr(0, length);
    bytes.remove_prefix(length);
    return whole;
  }
  // At once, and not by doubling: the length is within the limits.
  if (gathered_.empty()) gathered_.reserve(length);
  const size_t taken = std::min(length - gathered_.size(), bytes.size());
  gathered_.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  if (gathered_.size() < length) return std::nullopt;
  return std::string_view(gathered_);
}

absl::Status FrameDecoder::FinishFrame(std::string_view rest) {
  const uint32_t body_length = frame_.prefix.body_length;
  reserve_.Keep(frame_.body);
  google::protobuf::Message& body = reserve_.Emplace(frame_.type(), frame_.body);
  if (!body.ParseFromArray(rest.data(), static_cast<int>(body_length))) {
    return absl::InvalidArgumentError(
        absl::StrCat(FrameTypeName(frame_.type()), ": the body of ", body_length, " bytes is not a valid message"));
  }
  frame_.data = rest.substr(body_length);
  return CheckFrame(frame_);
}

// Drops what the last frame was gathered in.
void FrameDecoder::Forget() {
  if (!whole_) return;
  whole_ = false;
  frame_.data = {};
  gathered_.clear();
  if (gathered_.capacity() > kKeptCapacity) gathered_.shrink_to_fit();
}

void FrameDecoder::ConsumeChunk(uint32_t bytes) {
  assert(bytes <= chunk_remaining_);
  chunk_remaining_ -= bytes;
  if (chunk_remaining_ == 0) state_ = State::kPrefix;
  assert(InvariantHolds());
}

size_t FrameDecoder::wanted() const {
  const size_t have = whole_ ? 0 : gathered_.size();
  switch (state_) {
    case State::kPrefix:
      return kFramePrefixBytes - have;
    case State::kRest:
      return size_t{frame_.prefix.body_length} + frame_.prefix.data_length - have;
    case State::kChunk:
      return chunk_remaining_;
    case State::kSkip:
      return skip_remaining_;
  }
  return 0;
}

bool FrameDecoder::at_boundary() const { return state_ == State::kPrefix && (whole_ || gathered_.empty()); }

bool FrameDecoder::InvariantHolds() const {
  if (!failed_.ok()) return true;
  const uint64_t kept_limit =
      std::max<uint64_t>(kFramePrefixBytes, uint64_t{limits_.max_body_length} + limits_.max_data_length);
  if (gathered_.size() > kept_limit) return false;
  if ((state_ == State::kChunk) != (chunk_remaining_ > 0)) return false;
  if (chunk_remaining_ > frame_.prefix.chunk_length) return false;
  if ((state_ == State::kSkip) != (skip_remaining_ > 0)) return false;
  return wanted() > 0;
}

}  // namespace pagewire::wire
