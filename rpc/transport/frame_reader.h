// Reads a connection: the preface, frames, and chunks straight into the memory they are meant for.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "transport/byte_stream.h"
#include "transport/chunk_target.h"
#include "transport/discard_target.h"
#include "wire/frame.h"
#include "wire/frame_decoder.h"
#include "wire/preface.h"
#include "wire/preface_decoder.h"

namespace pagewire::transport {

// Its buffer takes many small frames with one read, yet never more than a page beyond the frame that is under way: so
// little of a chunk, at the most, is received into the wrong place and must be copied. Where chunks are to be mapped
// not even that: then it never reads a byte beyond what is known to be no chunk's, because a page of which a part is
// gone cannot be mapped. Not thread-safe: used by whoever drives the connection.
class FrameReader {
 public:
  // Takes what was read. A status that is not OK ends the connection.
  class Sink {
   public:
    virtual absl::Status OnPreface(const wire::Preface& preface) = 0;
    virtual absl::Status OnFrame(wire::Frame& frame) = 0;

    // A chunk of `length` bytes comes next: says where it goes; `target` is null, and stays so if it is to be thrown
    // away. The target stays valid until OnChunkReceived or DropChunk.
    virtual absl::Status OnChunk(const wire::v1::Chunk& chunk, uint64_t length, ChunkTarget*& target) = 0;
    virtual void OnChunkReceived(uint64_t length) = 0;

   protected:
    ~Sink() = default;
  };

  // `exact`: chunks are to be mapped.
  FrameReader(Sink& sink, const wire::FrameLimits& limits, bool exact);

  // From the next read on.
  void set_exact(bool exact) { exact_ = exact; }

  // Reads once and passes on what is whole. kBlocked, kEnd and kFailed as from the stream, and kFailed with the
  // violation or the sink's status. kEnd in the middle of something is kFailed, a truncated stream.
  IoResult ReadSome(ByteStream& stream);

  // After kBlocked: how many bytes should be there before it is asked again. They are sure to come.
  uint64_t wait_for() const { return wait_for_; }

  // What the chunk under way lacks.
  uint64_t chunk_remaining() const { return decoder_.chunk_remaining(); }

  // The target of the chunk that is under way, if there is one, is not valid any more: the rest of it is thrown away.
  // Not inside Sink::OnChunk.
  void DropChunk();

 private:
  IoResult ReadChunk(ByteStream& stream);
  absl::Status Consume(std::string_view bytes);
  absl::Status BeginChunk();
  void Advance(size_t bytes);
  size_t ReadAhead() const;
  size_t RoomBehindChunk() const;
  absl::Status Truncated() const;

  Sink& sink_;
  bool exact_;
  wire::PrefaceDecoder preface_;
  wire::FrameDecoder decoder_;
  std::string buffer_;
  ChunkTarget* target_ = nullptr;  // of the chunk under way
  uint64_t chunk_length_ = 0;
  uint64_t wait_for_ = 1;
  DiscardTarget discard_;
};

}  // namespace pagewire::transport
