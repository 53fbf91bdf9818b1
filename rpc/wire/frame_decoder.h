// Bytes in, frames out.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/body_reserve.h"
#include "wire/frame.h"
#include "wire/limits.h"

namespace pagewire::wire {

// Takes the bytes after the peer's preface in pieces of any length. Does no I/O, and keeps at most
// limits.max_body_length + limits.max_data_length bytes.
//
//   while (!bytes.empty()) {
//     absl::StatusOr<FrameDecoder::Step> step = decoder.Decode(bytes);
//     if (!step.ok()) return step.status();              // the connection ends
//     bytes.remove_prefix(step->consumed);
//     if (step->event != FrameDecoder::Event::kFrame) continue;
//     Handle(decoder.frame());
//     while (decoder.chunk_remaining() > 0) ...          // take the chunk, from `bytes` or straight from the socket,
//                                                        // and say so: decoder.ConsumeChunk(n)
//   }
//
// Chunk bytes never pass through the decoder: a caller that reads no further than wanted() receives them where they
// belong. Not thread-safe.
class FrameDecoder {
 public:
  enum class Event {
    kNeedMore,  // everything given was consumed; more is needed
    kFrame,     // frame() is a whole frame; for CHUNK, its chunk comes next
    kSkipped,   // a frame of an unknown type was skipped; frame().prefix is its prefix, body and data mean nothing
    kChunk,     // nothing was consumed: the next bytes are a chunk's and are to be taken by ConsumeChunk
  };
  struct Step {
    size_t consumed;  // of the bytes given
    Event event;
  };

  explicit FrameDecoder(const FrameLimits& limits);

  // Takes bytes up to the end of one frame (of a skipped frame: with its data and chunk). INVALID_ARGUMENT or
  // RESOURCE_EXHAUSTED for a violation, with a message that begins with the frame's type; every later call then
  // returns the same.
  absl::StatusOr<Step> Decode(std::string_view bytes);

  // The frame of the last kFrame or kSkipped, until the next Decode; its body may be moved from. frame().data points
  // into the bytes that were given to Decode where they held the frame's body and data whole, else into the decoder.
  Frame& frame() { return frame_; }
  const Frame& frame() const { return frame_; }

  // Bytes of a chunk that come next. Not 0 only after kFrame with a CHUNK frame.
  uint32_t chunk_remaining() const { return chunk_remaining_; }

  // The caller has taken the next `bytes` bytes of the chunk. bytes <= chunk_remaining().
  void ConsumeChunk(uint32_t bytes);

  // How many bytes complete the step that is under way: a prefix, a body with its data, a chunk, what is being
  // skipped. Never 0. Reading just so many never takes a byte of a chunk that has not been announced yet.
  size_t wanted() const;

  // What comes after wanted() bytes is a frame's prefix for sure: they are body and data of a frame without a chunk.
  bool prefix_follows() const { return state_ == State::kRest && frame_.prefix.chunk_length == 0; }

  // True between frames: an end of the stream here truncates nothing.
  bool at_boundary() const;

  // For the frames that follow; to be called between frames, e.g. when the peer has acknowledged new settings.
  void set_limits(const FrameLimits& limits) { limits_ = limits; }

  // What holds after every call, whatever the peer sent: bytes kept, counters and state agree, and all are bounded.
  bool InvariantHolds() const;

 private:
  enum class State { kPrefix, kRest, kChunk, kSkip };

  std::optional<std::string_view> Gather(size_t length, std::string_view& bytes);
  absl::StatusOr<Event> Advance(std::string_view& bytes);
  absl::Status FinishFrame(std::string_view rest);
  void Forget();

  FrameLimits limits_;
  State state_ = State::kPrefix;
  std::string gathered_;  // the beginning of the prefix, or of body and data
  bool whole_ = false;    // gathered_ is whole and frame_.data may point into it
  uint32_t chunk_remaining_ = 0;
  uint64_t skip_remaining_ = 0;
  Frame frame_;
  BodyReserve reserve_;
  absl::Status failed_;
};

}  // namespace pagewire::wire
