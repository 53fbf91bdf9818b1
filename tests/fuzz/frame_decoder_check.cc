#include "fuzz/frame_decoder_check.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "wire/frame_decoder.h"
#include "wire/frame_encoder.h"

namespace pagewire::wire {
namespace {

// Small, so that a fuzzer reaches them.
constexpr FrameLimits kLimits{.max_body_length = 512, .max_data_length = 1024, .max_chunk_length = 8192};

#ifdef PAGEWIRE_FUZZ_CANARY
constexpr bool kCanary = true;
#else
constexpr bool kCanary = false;
#endif

// The frame as bytes again; of a chunk, only its header.
std::string Encode(const Frame& frame) {
  std::string bytes;
  if (const auto* chunk = std::get_if<v1::Chunk>(&frame.body)) {
    AppendChunkHeader(*chunk, frame.prefix.chunk_length, bytes, frame.prefix.follow_length);
    return bytes;
  }
  std::visit([&](const auto& body) { AppendFrame(frame.type(), frame.prefix.flags, body, frame.data, bytes); },
             frame.body);
  return bytes;
}

// Decoding what was encoded gives the same frame. (The bytes may differ from those received: protobuf allows several
// encodings of a message.)
std::optional<std::string> CheckEncodedAgain(const Frame& frame) {
  const std::string encoded = Encode(frame);
  FrameDecoder decoder(FrameLimits{});
  const absl::StatusOr<FrameDecoder::Step> step = decoder.Decode(encoded);
  if (!step.ok()) return absl::StrCat("an encoded frame is refused: ", step.status().message());
  if (step->event != FrameDecoder::Event::kFrame || step->consumed != encoded.size()) {
    return "an encoded frame is not one frame";
  }
  if (Encode(decoder.frame()) != encoded) return "a frame changes when it is encoded and decoded";
  return std::nullopt;
}

class Reader {
 public:
  // How many of `available` bytes to read next.
  using Pieces = std::function<size_t(size_t wanted, size_t available)>;

  explicit Reader(bool canary) : canary_(canary) {}

  // Reads `input` to its end or to the first violation.
  void Read(std::string_view input, const Pieces& pieces) {
    while (!input.empty() && !ended_ && !problem_.has_value()) {
      const std::string piece(input.substr(0, pieces(decoder_.wanted(), input.size())));
      input.remove_prefix(piece.size());
      ReadPiece(piece);
    }
  }

  // One line for every frame, and the violation.
  const std::vector<std::string>& log() const { return log_; }
  const std::optional<std::string>& problem() const { return problem_; }

 private:
  void ReadPiece(std::string_view bytes) {
    while (!bytes.empty() && !ended_ && !problem_.has_value()) {
      if (decoder_.chunk_remaining() > 0) {
        const size_t taken = std::min<size_t>(bytes.size(), decoder_.chunk_remaining());
        chunk_ += bytes.substr(0, taken);
        decoder_.ConsumeChunk(static_cast<uint32_t>(taken));
        bytes.remove_prefix(taken);
        if (decoder_.chunk_remaining() == 0) log_.push_back(std::exchange(chunk_, {}));
        continue;
      }
      const absl::StatusOr<FrameDecoder::Step> step = decoder_.Decode(bytes);
      if (!decoder_.InvariantHolds()) problem_ = "the decoder's invariant does not hold";
      if (!step.ok()) {
        ended_ = true;
        log_.push_back(step.status().ToString());
        return;
      }
      if (step->consumed > bytes.size()) problem_ = "more was consumed than given";
      bytes.remove_prefix(std::min(step->consumed, bytes.size()));
      Take(step->event, bytes);
    }
  }

  void Take(FrameDecoder::Event event, std::string_view& rest) {
    const Frame& frame = decoder_.frame();
    switch (event) {
      case FrameDecoder::Event::kNeedMore:
        if (!rest.empty()) problem_ = "more is needed, but not all was consumed";
        break;
      case FrameDecoder::Event::kFrame:
        log_.push_back(Encode(frame));
        problem_ = CheckEncodedAgain(frame);
        break;
      case FrameDecoder::Event::kSkipped:
        log_.push_back(absl::StrCat("skipped ", frame.prefix.type));
        if (canary_) rest = {};
        break;
      case FrameDecoder::Event::kChunk:
        problem_ = "a chunk is announced where none comes";
        break;
    }
    const size_t most = std::max<size_t>(
        {size_t{kLimits.max_body_length} + kLimits.max_data_length + kLimits.max_chunk_length, kFramePrefixBytes});
    if (decoder_.wanted() == 0 || decoder_.wanted() > most) problem_ = "the decoder wants nothing, or too much";
  }

  const bool canary_;
  FrameDecoder decoder_{kLimits};
  std::vector<std::string> log_;
  std::string chunk_;
  bool ended_ = false;
  std::optional<std::string> problem_;
};

}  // namespace

std::optional<std::string> CheckFrameDecoder(std::string_view input) {
  Reader at_once(false);
  at_once.Read(input, [](size_t, size_t available) { return available; });
  if (at_once.problem().has_value()) return at_once.problem();

  // A small generator of its own: the pieces must follow from the input alone, so that every find can be repeated.
  uint32_t state = 2166136261;
  for (const char c : input) state = (state ^ static_cast<unsigned char>(c)) * 16777619;
  Reader in_pieces(kCanary);
  in_pieces.Read(input, [&](size_t wanted, size_t available) -> size_t {
    state = state * 1664525 + 1013904223;
    const uint32_t choice = state >> 24;
    if (choice < 64) return 1;
    if (choice < 128) return std::min(wanted, available);
    return std::min<size_t>(available, choice);
  });
  if (in_pieces.problem().has_value()) return in_pieces.problem();
  if (at_once.log() != in_pieces.log()) return "the bytes mean something else when they come in pieces";
  return std::nullopt;
}

}  // namespace pagewire::wire
