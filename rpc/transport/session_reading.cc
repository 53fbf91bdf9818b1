// What a session does with what its peer sends.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "transport/session.h"
#include "transport/session_offer.h"

namespace pagewire::transport {
namespace {

using wire::FrameType;

// What one turn on the loop may read before others on it get theirs.
constexpr uint64_t kReadPerTurn = 4 << 20;

// How long bytes that have come may wait for more. The shortest that the loop's timers know.
constexpr absl::Duration kLongestWait = absl::Milliseconds(1);

}  // namespace

void Session::OnReadable() {
  if (late_timer_ != 0) loop_.CancelTimer(std::exchange(late_timer_, 0));
  uint64_t bytes = 0;
  while (!closed_ && !failing_) {
    IoResult result = reader_.ReadSome(*stream_);
    switch (result.state) {
      case IoState::kOk:
        break;
      case IoState::kBlocked:
        PauseReading(reader_.wait_for());
        return bytes > 0 ? FlushAfterReading() : void();
      case IoState::kEnd:
        return Fail(closing_ ? absl::OkStatus() : absl::UnavailableError("the peer closed the connection"));
      case IoState::kFailed:
      case IoState::kMustCopy:  // never from reading
        return Fail(std::move(result.error));
    }
    bytes += result.bytes;
    coalescing_.OnRead(result.bytes);
    received_bytes_ += result.bytes;
    keepalive_.OnReceived();
    // The peer's window must not run dry while we read on.
    if (acks_owed_.Unacknowledged(receiver_.received_bytes()) >= own_window_ / 4) Flush();
    if (result.drained) {
      PauseReading(1);
      return FlushAfterReading();
    }
    if (bytes < kReadPerTurn) continue;
    ScheduleFlush();
    loop_.RunAfter(absl::ZeroDuration(), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->OnReadable();
    });
    return;
  }
}

void Session::PauseReading(uint64_t wait_for) {
  const uint64_t sure = receiver_.bytes_to_come() + reader_.chunk_remaining();
  const uint64_t wanted = std::max<uint64_t>(wait_for, coalescing_.Next(sure));
  const bool waits = stream_->SetReadThreshold(wanted);
  // The chunk under way comes by itself; what is behind it only as its sender gets to it.
  if (waits && wanted > reader_.chunk_remaining() && wanted > 1) {
    late_timer_ = loop_.RunAfter(kLongestWait, [this] {
      late_timer_ = 0;
      coalescing_.OnLate();
      OnReadable();
    });
  }
}

absl::Status Session::OnPreface(const wire::Preface& preface) {
  absl::StatusOr<wire::Negotiated> negotiated = wire::Negotiate(own_preface_, preface, options_.initiator);
  if (!negotiated.ok()) return std::move(negotiated).status();
  loop_.CancelTimer(std::exchange(handshake_timer_, 0));
  peer_settings_ = negotiated->peer;
  if ((negotiated->features & wire::kFeatureXxh3) != 0) {
    send_terms_.digests = true;
    receiver_.ExpectDigests();
  }
  ApplyPeerSettings();
  ready_ = true;
  keepalive_.Start();
  handler_.OnReady();
  ScheduleFlush();
  return absl::OkStatus();
}

absl::Status Session::OnFrame(wire::Frame& frame) {
  switch (frame.type()) {
    case FrameType::kCallStart:
      return OnCallStart(frame);
    case FrameType::kMessage:
      return OnMessage(frame);
    case FrameType::kPayloadBegin: {
      const auto& begin = std::get<wire::v1::PayloadBegin>(frame.body);
      if (absl::Status status = CheckCallId("PAYLOAD_BEGIN", begin.call_id()); !status.ok()) return status;
      absl::Status status = receiver_.OnPayloadBegin(begin, frame.prefix.flags);
      reader_.set_exact(receiver_.maps());
      return status;
    }
    case FrameType::kChunk:
      return absl::InternalError("a chunk reached OnFrame");  // the reader passes it to OnChunk
    case FrameType::kPayloadEnd:
      return receiver_.OnPayloadEnd(std::get<wire::v1::PayloadEnd>(frame.body), frame.data);
    case FrameType::kAck:
      return OnAck(std::get<wire::v1::Ack>(frame.body));
    case FrameType::kCredit:
      return OnCredit(std::get<wire::v1::Credit>(frame.body));
    case FrameType::kCancel:
      return OnCancel(std::get<wire::v1::Cancel>(frame.body));
    case FrameType::kStatus:
      return OnStatus(std::get<wire::v1::CallStatus>(frame.body));
    case FrameType::kPing:
      return OnPing(frame);
    case FrameType::kGoAway:
      return OnGoAway(std::get<wire::v1::GoAway>(frame.body));
    case FrameType::kSettings:
      return OnSettings(frame);
  }
  return absl::InternalError("a frame of an unknown type was decoded");
}

absl::Status Session::OnChunk(const wire::v1::Chunk& chunk, uint64_t length, ChunkTarget*& target) {
  return receiver_.OnChunk(chunk, length, target);
}

void Session::OnChunkReceived(uint64_t length) { receiver_.OnChunkReceived(length); }

absl::Status Session::CheckCallId(const char* frame, uint64_t call_id) const {
  if (call_id <= last_call_id_) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(frame, ": call ", call_id, " was never opened"));
}

absl::Status Session::OnCallStart(wire::Frame& frame) {
  auto& start = std::get<wire::v1::CallStart>(frame.body);
  const uint64_t call_id = start.call_id();
  if (options_.initiator) return absl::InvalidArgumentError("CALL_START: only the side that connected starts calls");
  if (call_id <= last_call_id_) {
    return absl::InvalidArgumentError(
        absl::StrCat("CALL_START: call id ", call_id, " is not above the last one, ", last_call_id_));
  }
  if (calls_.size() >= options_.max_concurrent_calls + kExtraCalls) {
    return absl::ResourceExhaustedError(absl::StrCat("CALL_START: ", calls_.size(), " calls have not ended, ",
                                                     "the limit is ", options_.max_concurrent_calls));
  }
  last_call_id_ = call_id;
  ++calls_begun_;
  calls_.try_emplace(call_id);
  receiver_.OpenCall(call_id);
  const uint64_t message_size = start.message_size();
  const uint64_t payload_id = start.payload_id();
  handler_.OnCallStart(std::move(start));
  if (frame.has(wire::kFlagHasMessage)) {
    absl::Status status = receiver_.OnMessagePart(call_id, frame.prefix.flags, message_size, payload_id, frame.data);
    if (!status.ok()) return status;
  }
  return OnMessageFlags(call_id, frame);
}

absl::Status Session::OnMessage(wire::Frame& frame) {
  auto& part = std::get<wire::v1::MessagePart>(frame.body);
  const uint64_t call_id = part.call_id();
  if (absl::Status status = CheckCallId("MESSAGE", call_id); !status.ok()) return status;
  const uint64_t message_size = part.message_size();
  const uint64_t payload_id = part.payload_id();
  if (options_.initiator && part.initial_metadata_size() > 0) handler_.OnInitialMetadata(call_id, std::move(part));
  if (frame.has(wire::kFlagHasMessage) || frame.has(wire::kFlagContinuation)) {
    absl::Status status = receiver_.OnMessagePart(call_id, frame.prefix.flags, message_size, payload_id, frame.data);
    if (!status.ok()) return status;
  }
  return OnMessageFlags(call_id, frame);
}

absl::Status Session::OnMessageFlags(uint64_t call_id, const wire::Frame& frame) {
  if (!frame.has(wire::kFlagEndStream)) return absl::OkStatus();
  if (!frame.has(wire::kFlagHasMessage) && !frame.has(wire::kFlagContinuation)) {
    if (absl::Status status = receiver_.OnEndStream(call_id); !status.ok()) return status;
    handler_.OnHalfClose(call_id);
  }
  if (!options_.initiator) EndPeer(call_id);
  return absl::OkStatus();
}

absl::Status Session::OnAck(const wire::v1::Ack& ack) {
  // What the peer has received the kernel has let go of, mostly: with it the reports are complete.
  TakeReleased();
  ScheduleFlush();
  return sent_.OnAck(ack, scheduler_.last_payload_id(),
                     [this](uint64_t call_id, const TransferReport& report) { handler_.OnReceipt(call_id, report); });
}

absl::Status Session::OnCredit(const wire::v1::Credit& credit) {
  if (absl::Status status = CheckCallId("CREDIT", credit.call_id()); !status.ok()) return status;
  if (send_credit_.OnGrant(credit.connection_limit(), credit.call_id(), credit.call_limit())) {
    scheduler_.OnGranted(credit.call_id());
  }
  ScheduleFlush();
  return absl::OkStatus();
}

absl::Status Session::OnCancel(wire::v1::Cancel& cancel) {
  const uint64_t call_id = cancel.call_id();
  if (options_.initiator) return absl::InvalidArgumentError("CANCEL: only the side that started a call cancels it");
  if (absl::Status status = CheckCallId("CANCEL", call_id); !status.ok()) return status;
  if (absl::Status status = cancels_.Count(loop_.Now()); !status.ok()) return status;
  if (!calls_.contains(call_id)) return absl::OkStatus();
  receiver_.AbandonMessage(call_id);
  receiver_.Discard(call_id);
  scheduler_.Abort(call_id);
  handler_.OnCancel(std::move(cancel));
  EndPeer(call_id);
  return absl::OkStatus();
}

absl::Status Session::OnStatus(wire::v1::CallStatus& status) {
  const uint64_t call_id = status.call_id();
  if (!options_.initiator) return absl::InvalidArgumentError("STATUS: only the side that accepted a call ends it so");
  if (absl::Status checked = CheckCallId("STATUS", call_id); !checked.ok()) return checked;
  const auto it = calls_.find(call_id);
  if (it == calls_.end() || it->second.peer_ended) {
    return absl::InvalidArgumentError(absl::StrCat("STATUS: call ", call_id, " has a status already"));
  }
  it->second.peer_ended = true;
  receiver_.AbandonMessage(call_id);
  if (!it->second.local_ended) {
    // The server needs no more of the request; CANCEL tells it that no more will come.
    wire::v1::Cancel cancel;
    cancel.set_call_id(call_id);
    cancel.set_code(static_cast<uint32_t>(absl::StatusCode::kCancelled));
    SendCancel(std::move(cancel));
  }
  handler_.OnStatus(std::move(status));
  EndPeer(call_id);
  return absl::OkStatus();
}

void Session::SendPing(uint64_t id) {
  wire::v1::Ping ping;
  ping.set_id(id);
  Control(FrameType::kPing, 0, ping);
}

absl::Status Session::OnPing(const wire::Frame& frame) {
  if (frame.has(wire::kFlagAck)) return absl::OkStatus();  // that anything came is all that keepalive asks
  if (absl::Status status = pings_.Count(loop_.Now()); !status.ok()) return status;
  Control(FrameType::kPing, wire::kFlagAck, std::get<wire::v1::Ping>(frame.body));
  return absl::OkStatus();
}

absl::Status Session::OnGoAway(const wire::v1::GoAway& go_away) {
  go_away_reason_ = go_away.message();
  handler_.OnGoAway(go_away);
  return absl::OkStatus();
}

absl::Status Session::OnSettings(const wire::Frame& frame) {
  if (frame.has(wire::kFlagAck)) return absl::OkStatus();
  if (absl::Status status = settings_.Count(loop_.Now()); !status.ok()) return status;
  const auto& settings = std::get<wire::v1::Settings>(frame.body);
  if (absl::Status status = wire::ApplySettingsFrame(settings.settings(), peer_settings_); !status.ok()) return status;
  ApplyPeerSettings();
  Control(FrameType::kSettings, wire::kFlagAck, wire::v1::Settings());
  return absl::OkStatus();
}

}  // namespace pagewire::transport
