#include "wire/decoded.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "wire/frame_decoder.h"

namespace pagewire::wire {

Decoded DecodeAll(std::string_view bytes, const Pieces& pieces, const FrameLimits& limits) {
  FrameDecoder decoder(limits);
  Decoded decoded;
  while (!bytes.empty()) {
    EXPECT_TRUE(decoder.InvariantHolds());
    std::string piece(bytes.substr(0, pieces(decoder.wanted(), bytes.size())));
    std::string_view rest = piece;
    bytes.remove_prefix(piece.size());
    while (!rest.empty()) {
      if (const size_t chunk = std::min<size_t>(decoder.chunk_remaining(), rest.size()); chunk > 0) {
        decoded.chunks += rest.substr(0, chunk);
        decoder.ConsumeChunk(static_cast<uint32_t>(chunk));
        rest.remove_prefix(chunk);
        continue;
      }
      const absl::StatusOr<FrameDecoder::Step> step = decoder.Decode(rest);
      EXPECT_TRUE(decoder.InvariantHolds());
      if (!step.ok()) {
        decoded.status = step.status();
        return decoded;
      }
      EXPECT_LE(step->consumed, rest.size());
      rest.remove_prefix(step->consumed);
      switch (step->event) {
        case FrameDecoder::Event::kNeedMore:
          EXPECT_TRUE(rest.empty());
          break;
        case FrameDecoder::Event::kFrame:
          decoded.events.push_back(Describe(decoder.frame()));
          EXPECT_EQ(decoder.chunk_remaining(), decoder.frame().prefix.chunk_length);
          break;
        case FrameDecoder::Event::kSkipped:
          decoded.events.push_back({.head = Head(decoder.frame().prefix)});
          break;
        case FrameDecoder::Event::kChunk:
          ADD_FAILURE() << "kChunk, although no chunk comes next";
          return decoded;
      }
    }
  }
  decoded.at_boundary = decoder.at_boundary();
  return decoded;
}

std::string Head(const FramePrefix& prefix) {
  if (!KnownFrameType(prefix.type).has_value()) {
    return absl::StrCat("skipped 0x", absl::Hex(prefix.type, absl::kZeroPad2));
  }
  std::string head = FrameTypeName(prefix.type);
  constexpr std::pair<uint8_t, const char*> kNames[] = {
      {kFlagEndStream, " END_STREAM"},      {kFlagMore, " MORE"},
      {kFlagCovered, " COVERED"},           {kFlagHasMessage, " HAS_MESSAGE"},
      {kFlagContinuation, " CONTINUATION"}, {kFlagAck, " ACK"}};
  for (const auto& [flag, name] : kNames) {
    if ((prefix.flags & flag) != 0) head += name;
  }
  return head;
}

ExpectedEvent Describe(const Frame& frame) {
  return {.head = Head(frame.prefix),
          .body = BodyText(frame.body),
          .data = std::string(frame.data),
          .chunk = frame.prefix.chunk_length,
          .follow = frame.prefix.follow_length};
}

std::string BodyText(const FrameBody& body) {
  return std::visit(
      [](const auto& message) {
        auto known = message;
        known.DiscardUnknownFields();
        std::string text = known.ShortDebugString();
        absl::StripAsciiWhitespace(&text);
        return text;
      },
      body);
}

std::string StatusText(const absl::Status& status) {
  if (status.ok()) return "";
  return absl::StrCat(absl::StatusCodeToString(status.code()), " ", status.message());
}

}  // namespace pagewire::wire
