// Reads a connection: the preface, frames, and chunks straight into the memory they are meant for.
#pragma once

#include <sys/uio.h>

#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "transport/byte_stream.h"
#include "wire/frame.h"
#include "wire/frame_decoder.h"
#include "wire/preface.h"
#include "wire/preface_decoder.h"

namespace pagewire::transport {

// Its buffer takes many small frames with one read, yet never more than a page beyond the frame that is under way: so
// little of a chunk, at the most, is received into the wrong place and must be copied. Not thread-safe: used by
// whoever drives the connection.
class FrameReader {
 public:
  // Takes what was read. A status that is not OK ends the connection.
  class Sink {
   public:
    virtual absl::Status OnPreface(const wire::Preface& preface) = 0;
    virtual absl::Status OnFrame(wire::Frame& frame) = 0;

    // A chunk of `length` bytes comes next: append where they go, `length` bytes in all, or nothing if they are to be
    // thrown away. The places stay valid until OnChunkReceived or DropChunk.
    virtual absl::Status OnChunk(const wire::v1::Chunk& chunk, uint64_t length, std::vector<iovec>& places) = 0;
    virtual void OnChunkReceived(uint64_t length) = 0;

   protected:
    ~Sink() = default;
  };

  FrameReader(Sink& sink, const wire::FrameLimits& limits);

  // Reads once and passes on what is whole. kBlocked, kEnd and kFailed as from the stream, and kFailed with the
  // violation or the sink's status. kEnd in the middle of something is kFailed, a truncated stream.
  IoResult ReadSome(ByteStream& stream);

  // The places of the chunk that is under way, if there is one, are not valid any more: the rest of it is thrown away.
  // Not inside Sink::OnChunk.
  void DropChunk();

 private:
  IoResult ReadChunk(ByteStream& stream);
  absl::Status Consume(std::string_view bytes);
  absl::Status BeginChunk();
  void ThrowAway(uint64_t length);
  void TakeChunkBytes(std::string_view& bytes);
  void Advance(size_t bytes);
  absl::Status Truncated() const;

  Sink& sink_;
  wire::PrefaceDecoder preface_;
  wire::FrameDecoder decoder_;
  std::string buffer_;
  std::vector<iovec> places_;  // what of the current chunk is still missing, from first_place_ on
  size_t first_place_ = 0;
  uint64_t chunk_length_ = 0;
  std::unique_ptr<char[]> scratch_;  // where bytes go that are thrown away
};

}  // namespace pagewire::transport
