#include "wire/frame_rules.h"

#include <absl/strings/str_cat.h>

#include <cstdint>
#include <utility>
#include <variant>

#include "wire/limits.h"

namespace pagewire::wire {
namespace {

template <typename... Parts>
absl::Status Violation(const Frame& frame, const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(FrameTypeName(frame.type()), ": ", parts...));
}

absl::Status CheckId(const Frame& frame, const char* field, uint64_t id) {
  if (id == 0) return Violation(frame, field, " is 0; ids begin with 1");
  return absl::OkStatus();
}

absl::Status CheckBytes(const Frame& frame, const char* field, uint64_t value) {
  if (value > kMaxBytes) return Violation(frame, field, " ", value, " exceeds the format's limit of ", kMaxBytes);
  return absl::OkStatus();
}

// The first failed check; evaluates them all, which costs nothing.
template <typename... Statuses>
absl::Status FirstOf(absl::Status status, Statuses... others) {
  if constexpr (sizeof...(others) > 0) {
    if (status.ok()) return FirstOf(std::move(others)...);
  }
  return status;
}

// CALL_START and MESSAGE: what the flags say about a message, and the data that is there.
absl::Status CheckMessage(const Frame& frame, uint64_t message_size, uint64_t payload_id) {
  const uint32_t data = frame.prefix.data_length;
  const bool more = frame.has(kFlagMore);
  if (more && frame.has(kFlagEndStream)) return Violation(frame, "END_STREAM with MORE: the last part ends the stream");
  if (!frame.has(kFlagHasMessage)) {
    if (frame.has(kFlagCovered)) return Violation(frame, "COVERED without HAS_MESSAGE");
    if (message_size != 0) return Violation(frame, "message_size ", message_size, " without HAS_MESSAGE");
    if (payload_id != 0) return Violation(frame, "payload_id ", payload_id, " without HAS_MESSAGE");
    if (frame.has(kFlagContinuation)) {
      if (more && data == 0) return Violation(frame, "CONTINUATION MORE with data_length 0");
      return absl::OkStatus();
    }
    if (more) return Violation(frame, "MORE without HAS_MESSAGE or CONTINUATION");
    if (data != 0) return Violation(frame, "data_length ", data, " without HAS_MESSAGE or CONTINUATION");
    return absl::OkStatus();
  }
  if (frame.has(kFlagContinuation)) return Violation(frame, "HAS_MESSAGE with CONTINUATION");
  if (absl::Status status = CheckBytes(frame, "message_size", message_size); !status.ok()) return status;
  if (!frame.has(kFlagCovered)) {
    if (!more) return Violation(frame, "HAS_MESSAGE needs COVERED, or MORE and a wait for credit");
    if (data != 0) return Violation(frame, "data_length ", data, " of a message that is not COVERED");
  }
  if (more && frame.has(kFlagCovered) && data >= message_size) {
    return Violation(frame, "MORE after all ", data, " of message_size ", message_size, " bytes");
  }
  if (!more && data != message_size) {
    return Violation(frame, "data_length ", data, " without MORE, but message_size is ", message_size);
  }
  return absl::OkStatus();
}

absl::Status CheckBody(const Frame& frame, const v1::CallStart& body) {
  return FirstOf(CheckId(frame, "call_id", body.call_id()), CheckBytes(frame, "timeout_us", body.timeout_us()),
                 CheckMessage(frame, body.message_size(), body.payload_id()));
}

absl::Status CheckBody(const Frame& frame, const v1::MessagePart& body) {
  if (frame.has(kFlagContinuation) && body.initial_metadata_size() != 0) {
    return Violation(frame, "initial_metadata with CONTINUATION");
  }
  return FirstOf(CheckId(frame, "call_id", body.call_id()),
                 CheckMessage(frame, body.message_size(), body.payload_id()));
}

absl::Status CheckBody(const Frame& frame, const v1::PayloadBegin& body) {
  absl::Status status = FirstOf(CheckId(frame, "payload_id", body.payload_id()),
                                CheckId(frame, "call_id", body.call_id()), CheckBytes(frame, "size", body.size()));
  if (status.ok() && frame.has(kFlagCovered) && !body.has_size()) {
    return Violation(frame, "COVERED, but the size is unknown");
  }
  return status;
}

absl::Status CheckBody(const Frame& frame, const v1::Chunk& body) {
  absl::Status status = CheckId(frame, "payload_id", body.payload_id());
  if (!status.ok()) return status;
  if (body.offset() % kChunkUnit != 0) {
    return Violation(frame, "offset ", body.offset(), " is not a multiple of ", kChunkUnit);
  }
  if (body.offset() > kMaxBytes - frame.prefix.chunk_length) {
    return Violation(frame, "offset ", body.offset(), " exceeds the format's limit of ", kMaxBytes);
  }
  return absl::OkStatus();
}

absl::Status CheckBody(const Frame& frame, const v1::PayloadEnd& body) {
  absl::Status status =
      FirstOf(CheckId(frame, "payload_id", body.payload_id()), CheckBytes(frame, "size", body.size()));
  if (!status.ok()) return status;
  switch (body.outcome()) {
    case v1::PayloadEnd::COMPLETE:
      if (body.code() != 0) return Violation(frame, "COMPLETE with code ", body.code());
      break;
    case v1::PayloadEnd::ABORTED:
      break;
    case v1::PayloadEnd::SOURCE_FAILED:
      if (body.code() == 0) return Violation(frame, "SOURCE_FAILED with code 0");
      break;
    default:
      return Violation(frame, "outcome ", static_cast<int>(body.outcome()), " is not in version 1");
  }
  const uint64_t tail = body.size() % kChunkUnit;
  if (body.outcome() == v1::PayloadEnd::COMPLETE) {
    if (frame.prefix.data_length != tail) {
      return Violation(frame, "data_length ", frame.prefix.data_length, ", but the tail of ", body.size(),
                       " bytes has ", tail);
    }
    return absl::OkStatus();
  }
  if (frame.prefix.data_length != 0) {
    return Violation(frame, "data_length ", frame.prefix.data_length, ", but only a COMPLETE payload has a tail");
  }
  if (tail != 0) return Violation(frame, "size ", body.size(), " of an incomplete payload is not whole chunks");
  return absl::OkStatus();
}

absl::Status CheckReceipt(const Frame& frame, const v1::Receipt& receipt) {
  absl::Status status = FirstOf(CheckId(frame, "receipts.payload_id", receipt.payload_id()),
                                CheckBytes(frame, "receipts.mapped_bytes", receipt.mapped_bytes()));
  if (!status.ok()) return status;
  if (receipt.receive_path() == v1::RECEIVE_PATH_UNSPECIFIED || !v1::ReceivePath_IsValid(receipt.receive_path())) {
    return Violation(frame, "receive_path ", static_cast<int>(receipt.receive_path()), " is not in version 1");
  }
  uint32_t seen = 0;
  for (const v1::CopiedBytes& copied : receipt.copied()) {
    if (copied.reason() == v1::COPY_REASON_UNSPECIFIED || !v1::CopyReason_IsValid(copied.reason())) {
      return Violation(frame, "copy reason ", static_cast<int>(copied.reason()), " is not in version 1");
    }
    const uint32_t bit = uint32_t{1} << copied.reason();
    if ((seen & bit) != 0) return Violation(frame, "copy reason ", static_cast<int>(copied.reason()), " occurs twice");
    seen |= bit;
    status = CheckBytes(frame, "receipts.copied.bytes", copied.bytes());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckBody(const Frame& frame, const v1::Ack& body) {
  absl::Status status = CheckBytes(frame, "received_bytes", body.received_bytes());
  if (!status.ok()) return status;
  for (const v1::IdRange& range : body.released()) {
    if (range.first() == 0 || range.last() < range.first()) {
      return Violation(frame, "released names the range ", range.first(), " to ", range.last());
    }
  }
  for (const v1::Receipt& receipt : body.receipts()) {
    if (status = CheckReceipt(frame, receipt); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckBody(const Frame& frame, const v1::Credit& body) {
  if (body.call_id() == 0 && body.call_limit() != 0) {
    return Violation(frame, "call_limit ", body.call_limit(), " without call_id");
  }
  return FirstOf(CheckBytes(frame, "connection_limit", body.connection_limit()),
                 CheckBytes(frame, "call_limit", body.call_limit()));
}

absl::Status CheckBody(const Frame& frame, const v1::Cancel& body) { return CheckId(frame, "call_id", body.call_id()); }

absl::Status CheckBody(const Frame& frame, const v1::CallStatus& body) {
  absl::Status status = CheckId(frame, "call_id", body.call_id());
  if (status.ok() && body.not_started() && body.code() == 0) return Violation(frame, "not_started with code 0");
  return status;
}

absl::Status CheckBody(const Frame&, const v1::Ping&) { return absl::OkStatus(); }

absl::Status CheckBody(const Frame&, const v1::GoAway&) { return absl::OkStatus(); }

absl::Status CheckBody(const Frame& frame, const v1::Settings& body) {
  if (frame.has(kFlagAck) && body.settings_size() != 0) {
    return Violation(frame, "ACK with ", body.settings_size(), " settings; an acknowledgement has none");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFrame(const Frame& frame) {
  return std::visit([&](const auto& body) { return CheckBody(frame, body); }, frame.body);
}

}  // namespace pagewire::wire
