#include "transport/outgoing_call.h"

#include <absl/strings/str_cat.h>
#include <pagewire/payload_buffer.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "payload/file_read.h"
#include "transport/page.h"
#include "wire/copy_reason.h"
#include "wire/frame_encoder.h"
#include "wire/frame_prefix.h"
#include "wire/limits.h"

namespace pagewire::transport {
namespace {

using wire::FrameType;

wire::v1::PayloadEnd EndOf(uint64_t payload_id, uint64_t size) {
  wire::v1::PayloadEnd end;
  end.set_payload_id(payload_id);
  end.set_size(size);
  end.set_outcome(wire::v1::PayloadEnd::COMPLETE);
  return end;
}

const absl::Status& SourceOf(const std::shared_ptr<absl::Status>& source) {
  static const absl::Status* const kNoFile = new absl::Status();
  return source == nullptr ? *kNoFile : *source;
}

// The cursor's next out.size() bytes. Where a file cannot be read, zeros, and `failure` says why; null if there is no
// file.
void Read(PayloadCursor& cursor, absl::Span<char> out, absl::Status* failure) {
  cursor.AdvanceOwned(out.size(), [&](const char* data, size_t size, const memory::SpanOwner& owner) {
    const absl::Span<char> part = out.subspan(0, size);
    out.remove_prefix(size);
    const memory::FileMemory* const file = owner.file();
    if (file == nullptr) {
      std::memcpy(part.data(), data, size);
      return;
    }
    const uint64_t offset = file->OffsetOf(data);
    const absl::StatusOr<size_t> count = memory::ReadAt(file->fd(), offset, part);
    const size_t read = count.ok() ? *count : 0;
    if (read == size) return;
    std::memset(part.data() + read, 0, size - read);
    if (failure->ok()) {
      *failure =
          absl::DataLossError(absl::StrCat("the file could not be read at offset ", offset + read, ": ",
                                           count.ok() ? "it ends there; was it cut short?" : count.status().message()));
    }
  });
}

// What follows is in the page cache when its turn comes, as far as the kernel can: a read from a disk would stop the
// loop.
constexpr uint64_t kPrefetchBytes = 1 << 20;
void Prefetch(PayloadCursor cursor) {
  cursor.AdvanceOwned(std::min(cursor.remaining(), 2 * kPrefetchBytes),
                      [](const char* data, size_t size, const memory::SpanOwner& owner) {
                        if (const memory::FileMemory* file = owner.file()) file->Prefetch(data, size);
                      });
}

// The next `length` bytes in memory; the cursor stays.
Payload ReadAhead(PayloadCursor cursor, uint64_t length, absl::Status& failure) {
  absl::StatusOr<PayloadBuffer> buffer = PayloadBuffer::TryAllocate(length);
  if (buffer.ok()) {
    Read(cursor, absl::MakeSpan(buffer->data(), length), &failure);
    return std::move(*buffer).Freeze();
  }
  if (failure.ok()) failure = buffer.status();
  static const std::string* const kZeros = new std::string(1 << 20, '\0');
  return Payload::FromExternal(kZeros->data(), length, nullptr);
}

}  // namespace

void OutgoingCall::Push(OutgoingMessage&& message) {
  items_.emplace_back(std::in_place_type<SendingMessage>, std::move(message));
}

void OutgoingCall::Push(OutgoingPayload&& payload) {
  items_.emplace_back(std::in_place_type<SendingPayload>, std::move(payload));
}

void OutgoingCall::Push(OutgoingPieces&& pieces) {
  if (pieces.payload.size() == 0) return;
  items_.emplace_back(std::in_place_type<SendingPieces>, std::move(pieces));
  CutNextPiece();
}

// Pieces are cut when their turn comes, so that a payload of any size costs nothing while it waits.
void OutgoingCall::CutNextPiece() {
  if (items_.empty()) return;
  auto* pieces = std::get_if<SendingPieces>(&items_.front());
  if (pieces == nullptr) return;
  Payload& whole = pieces->pieces.payload;
  const uint64_t length = std::min(whole.size() - pieces->offset, kPieceBytes);
  OutgoingPayload piece{whole.Slice(pieces->offset, length)};
  pieces->offset += length;
  if (pieces->offset == whole.size()) {
    piece.events = std::move(pieces->pieces.events);
    items_.pop_front();
  }
  wire::v1::MessagePart head;
  head.set_call_id(call_id_);
  items_.emplace_front(std::in_place_type<SendingPayload>, std::move(piece));
  items_.emplace_front(std::in_place_type<SendingMessage>,
                       OutgoingMessage{.head = std::move(head), .bytes = {}, .with_payload = true});
}

void OutgoingCall::PopFront() {
  items_.pop_front();
  CutNextPiece();
}

void OutgoingCall::Push(wire::v1::CallStatus&& status) { items_.emplace_back(std::move(status)); }

bool OutgoingCall::Abort() {
  if (items_.empty()) return heard_of_;
  if (std::exchange(waiting_, false)) credit_.StopWaiting(call_id_);
  auto* payload = std::get_if<SendingPayload>(&items_.front());
  const bool end_owed = payload != nullptr && payload->begun;
  if (end_owed) payload->aborted = true;
  const bool status_last = std::holds_alternative<wire::v1::CallStatus>(items_.back());
  items_.erase(std::next(items_.begin(), end_owed ? 1 : 0), std::prev(items_.end(), status_last ? 1 : 0));
  return heard_of_ || !items_.empty();
}

void OutgoingCall::OnGranted() { waiting_ = false; }

OutgoingCall::Turn OutgoingCall::turn() const {
  if (items_.empty()) return Turn::kNone;
  const auto* payload = std::get_if<SendingPayload>(&items_.front());
  if (payload != nullptr && payload->aborted) return Turn::kSmall;
  if (waiting_) return Turn::kNone;
  if (payload == nullptr) return Turn::kSmall;
  if (payload->begun) return Turn::kBulk;
  return bulk_allowed_ ? Turn::kSmall : Turn::kNone;
}

void OutgoingCall::SendSmall(std::string& out) {
  heard_of_ = true;
  Item& item = items_.front();
  if (auto* message = std::get_if<SendingMessage>(&item)) {
    SendMessage(*message, out);
  } else if (auto* payload = std::get_if<SendingPayload>(&item)) {
    if (!payload->aborted) return SendPayloadBegin(*payload, out);
    SendPayloadEnd(*payload, out);
    PopFront();
  } else {
    wire::AppendFrame(FrameType::kStatus, 0, std::get<wire::v1::CallStatus>(item), {}, out);
    PopFront();
  }
}

void OutgoingCall::SendMessage(SendingMessage& item, std::string& out) {
  OutgoingMessage& message = item.message;
  const std::string_view bytes = message.bytes;
  const bool first = !item.begun;
  uint8_t flags = 0;
  uint64_t part = std::min<uint64_t>(bytes.size() - item.sent, wire::kMessagePartBytes);
  if (first) {
    item.begun = true;
    announced_payload_ = message.with_payload ? ++last_payload_id_ : 0;
    if (message.has_message) {
      flags |= wire::kFlagHasMessage;
      if (const uint64_t cost = wire::MessageCredit(bytes.size()); credit_.TryTake(call_id_, cost)) {
        flags |= wire::kFlagCovered;
      } else {
        credit_.Wait(call_id_, cost);
        waiting_ = true;
        part = 0;
      }
    }
  } else {
    flags |= wire::kFlagContinuation;
  }
  const std::string_view data = bytes.substr(item.sent, part);
  item.sent += part;
  const bool done = item.sent == bytes.size() && !waiting_;
  if (!done) flags |= wire::kFlagMore;
  if (done && message.last) flags |= wire::kFlagEndStream;

  if (auto* start = std::get_if<wire::v1::CallStart>(&message.head); start != nullptr && first) {
    start->set_message_size(bytes.size());
    start->set_payload_id(announced_payload_);
    wire::AppendFrame(FrameType::kCallStart, flags, *start, data, out);
  } else if (first) {
    auto& head = std::get<wire::v1::MessagePart>(message.head);
    head.set_message_size(bytes.size());
    head.set_payload_id(announced_payload_);
    wire::AppendFrame(FrameType::kMessage, flags, head, data, out);
  } else {
    wire::v1::MessagePart rest;
    rest.set_call_id(call_id_);
    wire::AppendFrame(FrameType::kMessage, flags, rest, data, out);
  }
  if (!done) return;
  const bool counts = message.has_message;
  const uint64_t size = bytes.size();
  PopFront();
  if (counts) observer_.OnItemSent(call_id_, size);
}

void OutgoingCall::SendPayloadBegin(SendingPayload& item, std::string& out) {
  const uint64_t size = item.cursor.remaining();
  uint8_t flags = wire::kFlagCovered;
  if (!credit_.TryTake(call_id_, size)) {
    credit_.Wait(call_id_, size);
    waiting_ = true;
    flags = 0;
  }
  item.begun = true;
  item.payload_id = announced_payload_;
  const Backing backing = BackingOf(item.cursor.payload());
  if (backing == Backing::kFile || backing == Backing::kMixed) item.source = std::make_shared<absl::Status>();
  item.choice = ChooseSendPath(terms_, size, backing);
  item.report = internal::MakeShared<TransferReport>();
  item.report->payload_bytes = size;
  item.report->send_path = item.choice.path;
  item.report->acks = window_.acks();
  item.report->began = absl::Now();
  item.report->digest = terms_.digests;
  item.report->evidence = item.choice.evidence;
  if (terms_.digests) item.digest.emplace();
  wire::v1::PayloadBegin begin;
  begin.set_payload_id(item.payload_id);
  begin.set_call_id(call_id_);
  begin.set_size(size);
  if (item.choice.receive != ReceivePath::kAuto) begin.set_receive_path(wire::ToWire(item.choice.receive));
  begin.set_measure(item.choice.group != 0);
  wire::AppendFrame(FrameType::kPayloadBegin, flags, begin, {}, out);
}

bool OutgoingCall::SendBulk(WriteBatch& batch, uint64_t chunk_bytes, bool alone) {
  auto& item = std::get<SendingPayload>(items_.front());
  if (item.cursor.remaining() < kPageBytes || !SourceOf(item.source).ok()) return FinishPayload(item, batch);
  const uint64_t wanted = std::min(RoundDownToPage(item.cursor.remaining()), chunk_bytes);
  if (window_.available() < wanted) return false;
  wire::v1::Chunk chunk;
  chunk.set_payload_id(item.payload_id);
  chunk.set_offset(item.cursor.offset());
  wire::AppendChunkHeader(chunk, wanted, batch.head(), alone ? NextFrameBytes(item, wanted) : 0);
  window_.OnSent(wanted);
  AppendChunk(item, wanted, batch);
  ++item.report->chunks;
  // The end rides along, unless it must be able to say that the file of this chunk could not be read.
  if (item.cursor.remaining() < kPageBytes && item.source == nullptr) FinishPayload(item, batch);
  return true;
}

bool OutgoingCall::FinishPayload(SendingPayload& item, WriteBatch& batch) {
  const uint64_t tail = item.cursor.remaining();
  if (tail < kPageBytes && window_.available() < tail) return false;
  SendPayloadEnd(item, batch.head());
  const uint64_t size = item.cursor.payload().size();
  PopFront();
  observer_.OnItemSent(call_id_, size);
  return true;
}

void OutgoingCall::AppendChunk(SendingPayload& item, uint64_t length, WriteBatch& batch) {
  if (item.source != nullptr && item.cursor.offset() % kPrefetchBytes == 0) Prefetch(item.cursor);
  const auto append = [&](PayloadCursor& cursor) {
    if (item.digest.has_value()) {
      // Just before the kernel reads them, too.
      PayloadCursor(cursor).Advance(length, [&](const char* data, size_t size) { item.digest->Update(data, size); });
    }
    batch.AppendChunk(cursor, length,
                      {item.choice, item.payload_id, window_.sent(), item.report, item.source, call_id_});
  };
  if (item.source == nullptr || item.choice.path == SendPath::kFile) return append(item.cursor);
  PayloadCursor read(ReadAhead(item.cursor, length, *item.source));
  append(read);
  item.cursor.Advance(length, [](const char*, size_t) {});
}

bool OutgoingCall::Describe(TransferView& view) const {
  const auto* payload = items_.empty() ? nullptr : std::get_if<SendingPayload>(&items_.front());
  if (payload == nullptr || !payload->begun) return false;
  view.place = {true, payload->payload_id};
  view.Take(*payload->report);
  view.call_id = call_id_;
  view.phase = waiting_ ? TransferView::Phase::kWaitingForCredit : TransferView::Phase::kMoving;
  view.moved_bytes = payload->cursor.offset();
  view.acknowledged_bytes = view.moved_bytes - std::min(view.moved_bytes, window_.in_flight());
  return true;
}

uint32_t OutgoingCall::NextFrameBytes(const SendingPayload& item, uint64_t chunk) const {
  const uint64_t remaining = item.cursor.remaining() - chunk;
  if (remaining >= kPageBytes) {
    wire::v1::Chunk next;
    next.set_payload_id(item.payload_id);
    next.set_offset(item.cursor.offset() + chunk);
    return wire::kFramePrefixBytes + next.ByteSizeLong();
  }
  wire::v1::PayloadEnd end = EndOf(item.payload_id, item.cursor.payload().size());
  if (item.digest.has_value()) *end.mutable_digest() = PayloadDigest::Placeholder();
  return wire::kFramePrefixBytes + end.ByteSizeLong() + remaining;
}

void OutgoingCall::SendPayloadEnd(SendingPayload& item, std::string& out) {
  if (item.aborted) {
    wire::v1::PayloadEnd end = EndOf(item.payload_id, item.cursor.offset());
    end.set_outcome(wire::v1::PayloadEnd::ABORTED);
    wire::AppendFrame(FrameType::kPayloadEnd, 0, end, {}, out);
    return;
  }
  std::string tail;
  if (SourceOf(item.source).ok()) {
    tail.resize(item.cursor.remaining());
    Read(item.cursor, absl::MakeSpan(tail), item.source.get());
  }
  if (const absl::Status& source = SourceOf(item.source); !source.ok()) {
    wire::v1::PayloadEnd end = EndOf(item.payload_id, RoundDownToPage(item.cursor.offset()));
    end.set_outcome(wire::v1::PayloadEnd::SOURCE_FAILED);
    end.set_code(static_cast<uint32_t>(source.code()));
    end.set_message(std::string(source.message()));
    wire::AppendFrame(FrameType::kPayloadEnd, 0, end, {}, out);
    return;
  }
  window_.OnSent(tail.size());
  wire::v1::PayloadEnd end = EndOf(item.payload_id, item.cursor.offset());
  if (item.digest.has_value()) {
    item.digest->Update(tail.data(), tail.size());
    *end.mutable_digest() = item.digest->Get();
  }
  wire::AppendFrame(FrameType::kPayloadEnd, 0, end, tail, out);
  item.report->CountKernelCopy(CopyReason::kTail, tail.size());
  item.report->finished = absl::Now();
  observer_.OnPayloadSent(call_id_,
                          {item.payload_id, window_.sent(), item.report, item.choice.group, std::move(item.events)});
}

}  // namespace pagewire::transport
