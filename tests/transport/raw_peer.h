// A peer that says whatever a test wants it to say: raw frames, true or false, to a session under test.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/byte_stream.h"
#include "transport/manual_loop.h"
#include "wire/frame_decoder.h"
#include "wire/frame_encoder.h"
#include "wire/preface.h"
#include "wire/preface_decoder.h"

namespace pagewire::transport::testing {

// Flags that are used together.
inline constexpr uint8_t kWhole = wire::kFlagHasMessage | wire::kFlagCovered;
inline constexpr uint8_t kWholeAndLast = kWhole | wire::kFlagEndStream;
inline constexpr uint8_t kAnnounced = wire::kFlagHasMessage | wire::kFlagMore;

// What a session of ours offers: credit of 64 KiB for the connection, and 1 MiB for a call.
wire::Settings DefaultSettings();

// One frame from the session under test.
struct ReceivedFrame {
  wire::FramePrefix prefix;
  wire::FrameBody body;
  std::string data;
  std::string chunk;

  wire::FrameType type() const { return static_cast<wire::FrameType>(prefix.type); }
  bool has(uint8_t flag) const { return (prefix.flags & flag) != 0; }
};

// Lives on one ManualLoop with the session. Every verb sends and then lets the loop run until it is idle, so that when
// it returns the session has done all that it will do without more bytes or time. What comes is decoded, and held to
// the limits of the settings in our preface.
class RawPeer final : private ByteStream::Observer {
 public:
  // `initiator`: plays a client to an accepting session. Starts the stream; says nothing by itself.
  RawPeer(ManualLoop& loop, std::unique_ptr<ByteStream> stream, bool initiator);

  // Bytes as they are. False when the session does not take them all.
  bool Send(std::string_view bytes);

  // The preface. Settings decide what the session may send to us.
  bool Greet(const wire::Settings& settings = DefaultSettings());
  bool Greet(const wire::Preface& preface);

  // The frames taken from now on may be larger than the settings said; after Greet.
  void set_limits(const wire::FrameLimits& limits) { decoder_->set_limits(limits); }

  bool SendFrame(wire::FrameType type, uint8_t flags, const google::protobuf::MessageLite& body,
                 std::string_view data = {});

  // A call: whole with its message, or with the message only announced, or with `flags` of the test's own.
  bool StartCall(uint64_t call_id, std::string_view method, std::string_view message, uint64_t payload_id = 0,
                 uint8_t flags = kWholeAndLast);
  bool AnnounceCall(uint64_t call_id, std::string_view method, uint64_t message_size, uint64_t payload_id = 0);

  // A message, its first part, or a further part.
  bool Message(uint64_t call_id, std::string_view message, uint64_t payload_id = 0, uint8_t flags = kWhole);
  bool MessageStart(uint64_t call_id, uint64_t message_size, std::string_view first, uint8_t flags,
                    uint64_t payload_id = 0);
  bool MessageRest(uint64_t call_id, std::string_view rest, uint8_t more_flags = 0);
  bool EndStream(uint64_t call_id);

  // Payloads. `bytes` of a chunk are whole pages.
  bool BeginPayload(uint64_t payload_id, uint64_t call_id, uint64_t size, bool covered = true);
  bool Chunk(uint64_t payload_id, uint64_t offset, std::string_view bytes);
  bool EndPayload(uint64_t payload_id, uint64_t size, std::string_view tail = {});
  bool AbortPayload(uint64_t payload_id, uint64_t size_so_far);

  // All of a payload, in chunks of up to 64 KiB.
  bool WholePayload(uint64_t payload_id, uint64_t call_id, std::string_view bytes);

  bool Ack(uint64_t received_bytes);
  bool Grant(uint64_t connection_limit, uint64_t call_id = 0, uint64_t call_limit = 0);
  bool Cancel(uint64_t call_id);
  bool Status(uint64_t call_id, absl::StatusCode code, std::string_view message = {});
  bool Ping(uint64_t id);
  bool ChangeSetting(wire::SettingId id, uint64_t value);

  // What the session has sent and no Take has taken, in order. The first form takes all frames of one type.
  template <typename Body>
  std::vector<Body> Take() {
    std::vector<Body> bodies;
    std::erase_if(received_, [&](ReceivedFrame& frame) {
      auto* body = std::get_if<Body>(&frame.body);
      if (body != nullptr) bodies.push_back(std::move(*body));
      return body != nullptr;
    });
    return bodies;
  }
  std::vector<ReceivedFrame> TakeAll();

  // Chunks and tails received so far, all payloads together.
  uint64_t payload_bytes() const { return payload_bytes_; }
  uint64_t chunk_frames() const { return chunk_frames_; }

  const std::optional<wire::Preface>& preface() const { return preface_; }

  // The session closed or reset the connection.
  bool ended() const { return ended_; }

  // What the session did that no session may do; empty if nothing. Checked when the peer is destroyed, too.
  const std::string& misbehaviour() const { return misbehaviour_; }

  // Whether we read at all; we do at first.
  void StopReading() { reading_ = false; }
  void ReadAgain();

  // The connection's end, of our making.
  void CloseWrite();
  void Reset();
  void Vanish() { stream_.reset(); }

  // Sends what fits at once and closes, before the session does anything.
  void SayLast(wire::FrameType type, const google::protobuf::MessageLite& body);

 private:
  void OnReadable() override;
  void OnWritable() override {}
  void Decode(std::string_view bytes);

  ManualLoop& loop_;
  std::unique_ptr<ByteStream> stream_;
  const bool initiator_;
  bool reading_ = true;
  bool ended_ = false;
  std::string misbehaviour_;
  wire::PrefaceDecoder preface_decoder_;
  std::optional<wire::Preface> preface_;
  std::unique_ptr<wire::FrameDecoder> decoder_;
  std::vector<ReceivedFrame> received_;
  uint64_t payload_bytes_ = 0;
  uint64_t chunk_frames_ = 0;
};

// `size` bytes that differ from place to place.
std::string Pattern(size_t size, uint32_t seed = 1);

}  // namespace pagewire::transport::testing
