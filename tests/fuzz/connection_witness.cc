#include "fuzz/connection_witness.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "fuzz/payload_bytes.h"

namespace pagewire::call {
namespace {

using transport::testing::ReceivedFrame;
using wire::FrameType;

#ifdef PAGEWIRE_FUZZ_CANARY
constexpr bool kCanary = true;
#else
constexpr bool kCanary = false;
#endif

}  // namespace

std::optional<std::string> ConnectionWitness::Look(const ReceivedFrame& frame, uint64_t last_call,
                                                   uint64_t payload_bytes) {
  switch (frame.type()) {
    case FrameType::kCallStart:
    case FrameType::kCancel:
      return "the server sent what only clients send";
    case FrameType::kMessage:
      return LookAtMessage(frame);
    case FrameType::kPayloadBegin:
      return LookAtBegin(std::get<wire::v1::PayloadBegin>(frame.body));
    case FrameType::kChunk:
      return LookAtChunk(frame);
    case FrameType::kPayloadEnd:
      return LookAtEnd(frame);
    case FrameType::kAck:
      return LookAtAck(std::get<wire::v1::Ack>(frame.body), payload_bytes);
    case FrameType::kCredit: {
      const auto& credit = std::get<wire::v1::Credit>(frame.body);
      if (credit.connection_limit() < credit_) return "credit falls";
      credit_ = credit.connection_limit();
      if (credit.call_id() > last_call) return "credit for a call that was never opened";
      return std::nullopt;
    }
    case FrameType::kStatus:
      return LookAtStatus(std::get<wire::v1::CallStatus>(frame.body), last_call);
    case FrameType::kGoAway: {
      const auto code = static_cast<absl::StatusCode>(std::get<wire::v1::GoAway>(frame.body).code());
      if (code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown) return "the server blames itself";
      return std::nullopt;
    }
    case FrameType::kPing:
    case FrameType::kSettings:
      if (!frame.has(wire::kFlagAck)) return "the server asks, and has no reason to";
      return std::nullopt;
  }
  return "a frame of an unknown type";
}

std::optional<std::string> ConnectionWitness::LookAtMessage(const ReceivedFrame& frame) {
  const auto& part = std::get<wire::v1::MessagePart>(frame.body);
  if (answered_.contains(part.call_id())) return "a message after its call's status";
  uint64_t payload_id = part.payload_id();
  // A message that waits for credit is announced without its bytes; they come when it has been granted.
  if (payload_id != 0 && frame.data.empty() && frame.has(wire::kFlagMore)) {
    waiting_[part.call_id()] = payload_id;
    return std::nullopt;
  }
  if (const auto waiting = waiting_.find(part.call_id()); waiting != waiting_.end()) {
    payload_id = waiting->second;
    waiting_.erase(waiting);
  }
  if (payload_id == 0) return std::nullopt;
  uint64_t content = 0;
  if (!absl::SimpleAtoi(frame.data, &content)) return "a response payload of which nothing is known";
  content_of_[payload_id] = content;
  return std::nullopt;
}

std::optional<std::string> ConnectionWitness::LookAtBegin(const wire::v1::PayloadBegin& begin) {
  if (begin.payload_id() <= last_payload_) return "payload ids of the server do not rise";
  last_payload_ = begin.payload_id();
  if (answered_.contains(begin.call_id())) return "a payload begins after its call's status";
  const auto content = content_of_.find(begin.payload_id());
  if (content == content_of_.end()) return "a payload begins that no message announced";
  open_[begin.payload_id()] = {begin.call_id(), begin.size(), content->second};
  return std::nullopt;
}

std::optional<std::string> ConnectionWitness::LookAtChunk(const ReceivedFrame& frame) {
  const auto& chunk = std::get<wire::v1::Chunk>(frame.body);
  const auto it = open_.find(chunk.payload_id());
  if (it == open_.end()) return "a chunk of a payload that is not open";
  OpenPayload& payload = it->second;
  if (chunk.offset() != payload.offset) return "a chunk at a wrong offset";
  // The last chunk that came may not have come whole.
  if (frame.chunk != PayloadBytes(payload.content, payload.offset, frame.chunk.size())) {
    return "a response payload has wrong bytes";
  }
  payload.offset += frame.prefix.chunk_length;
  if (payload.offset > payload.size) return "more chunks than the payload is long";
  return std::nullopt;
}

std::optional<std::string> ConnectionWitness::LookAtEnd(const ReceivedFrame& frame) {
  const auto& end = std::get<wire::v1::PayloadEnd>(frame.body);
  const auto it = open_.find(end.payload_id());
  if (it == open_.end()) return "the end of a payload that is not open";
  const OpenPayload payload = it->second;
  open_.erase(it);
  if (end.size() != payload.offset + frame.data.size()) return "a payload ends at a wrong size";
  if (end.outcome() == wire::v1::PayloadEnd::COMPLETE && end.size() != payload.size) return "a payload ends too early";
  if (frame.data != PayloadBytes(payload.content, payload.offset, frame.data.size())) return "a tail has wrong bytes";
  return std::nullopt;
}

std::optional<std::string> ConnectionWitness::LookAtAck(const wire::v1::Ack& ack, uint64_t payload_bytes) {
  if (ack.received_bytes() < acknowledged_) return "acknowledgements fall";
  acknowledged_ = ack.received_bytes();
  if (acknowledged_ > payload_bytes) return "more is acknowledged than was sent";
  if (kCanary && ack.receipts_size() > 0 && acknowledged_ > delivered_bytes_) {
    return "more is acknowledged than was delivered";
  }
  return std::nullopt;
}

std::optional<std::string> ConnectionWitness::LookAtStatus(const wire::v1::CallStatus& status, uint64_t last_call) {
  if (status.call_id() > last_call) return "a status for a call that was never opened";
  if (!answered_.insert(status.call_id()).second) return absl::StrCat("call ", status.call_id(), " has two statuses");
  for (const auto& [id, payload] : open_) {
    if (payload.call_id == status.call_id()) return "a status before the end of its call's payload";
  }
  return std::nullopt;
}

}  // namespace pagewire::call
