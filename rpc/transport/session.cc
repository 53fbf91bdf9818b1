#include "transport/session.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "transport/burial.h"
#include "transport/page.h"
#include "transport/session_offer.h"
#include "wire/frame_encoder.h"

namespace pagewire::transport {
namespace {

using wire::FrameType;

// The largest chunk we send. 256 KiB: what the receiver copies is then still in its cache when it is used.
constexpr uint64_t kChunkBytes = 256 << 10;

// What one turn on the loop may write before others on it get theirs.
constexpr uint64_t kWrittenPerTurn = 4 << 20;

// Control frames that wait because the peer does not read. A peer that reads lets them go within a round trip.
constexpr size_t kMaxControlBytes = 256 << 10;

// How long a write may make no progress at all. Sessions read their sockets whatever their application does, so a peer
// that lets us wait this long is dead or hostile.
constexpr absl::Duration kWriteStall = absl::Seconds(30);

// How often a closing session asks whether the peer's transport has everything: doubles from the first value.
constexpr absl::Duration kClosePoll = absl::Milliseconds(1);
constexpr absl::Duration kLongestClosePoll = absl::Milliseconds(32);

// How long the peer's transport has to acknowledge the last bytes. A live one does so within a round trip; a second is
// a long one.
constexpr absl::Duration kLastAcks = absl::Seconds(1);

// How long the release of a payload may wait for another reason to send an ACK.
constexpr absl::Duration kReleaseDelay = absl::Milliseconds(10);

}  // namespace

std::shared_ptr<Session> Session::Create(Loop& loop, std::unique_ptr<ByteStream> stream, SessionHandler& handler,
                                         SessionOptions options) {
  return std::shared_ptr<Session>(new Session(loop, std::move(stream), handler, std::move(options)));
}

Session::Session(Loop& loop, std::unique_ptr<ByteStream> stream, SessionHandler& handler, SessionOptions options)
    : loop_(loop),
      stream_(std::move(stream)),
      peer_(std::make_shared<const std::string>(stream_->peer())),
      handler_(handler),
      options_(std::move(options)),
      own_preface_(MakeOwnPreface(options_)),
      peer_settings_(wire::AssumedSettings()),
      send_terms_(MakeSendTerms(options_, *stream_)),
      send_credit_(peer_settings_.initial_connection_credit, peer_settings_.initial_call_credit),
      scheduler_(send_credit_, sent_.window(), send_terms_, *this),
      batch_(sent_.ledger()),
      receiver_(MakeReceiverOptions(options_, *stream_),
                memory::ConnectionCreditBudget().Overdraw(wire::AssumedSettings().initial_connection_credit,
                                                          "connection credit"),
                handler, *this),
      reader_(*this, MakeSettings(options_).frame_limits(), receiver_.maps()),
      acks_owed_([this] { OnReleasedByUs(); }),
      keepalive_(loop_, options_.keepalive,
                 {.send_ping = [this](uint64_t id) { SendPing(id); },
                  .has_calls = [this] { return !calls_.empty(); },
                  .fail = [this](absl::Status status) { Fail(std::move(status)); }}),
      pings_(options_.pings),
      settings_({"settings", 20, 1, ""}),
      cancels_({"cancelled calls", 20'000, 2'000, ""}) {
  sent_.TellCosts(send_terms_.peer);
}

Session::~Session() {
  for (Loop::TimerId timer :
       {stall_timer_, handshake_timer_, close_timer_, close_poll_timer_, release_timer_, late_timer_})
    loop_.CancelTimer(timer);
}

void Session::Start() {
  wire::AppendPreface(own_preface_, scheduler_.control());
  handshake_timer_ = loop_.RunAfter(options_.handshake_timeout, [this] {
    handshake_timer_ = 0;
    Fail(absl::UnavailableError(
        absl::StrCat("the peer sent no preface within ", absl::FormatDuration(options_.handshake_timeout))));
  });
  stream_->Start(this);
  ScheduleFlush();
}

// Calls and what they send.

uint64_t Session::OpenCall() {
  const uint64_t call_id = ++last_call_id_;
  ++calls_begun_;
  calls_.try_emplace(call_id);
  receiver_.OpenCall(call_id);
  return call_id;
}

template <typename Head>
void Session::SendOnlyOf(uint64_t call_id, Head& head, std::string& bytes) {
  if (closed_ || failing_) return;
  if (uint64_t credit = 0; scheduler_.SendAtOnce(call_id, head, bytes, credit)) {
    if (const auto it = calls_.find(call_id); it != calls_.end()) it->second.sent_bytes += credit;
    return ScheduleFlush();
  }
  SendMessage(call_id, {.head = std::move(head), .bytes = std::move(bytes), .last = true});
}
template void Session::SendOnlyOf(uint64_t call_id, wire::v1::CallStart& head, std::string& bytes);
template void Session::SendOnlyOf(uint64_t call_id, wire::v1::MessagePart& head, std::string& bytes);

void Session::SendMessage(uint64_t call_id, OutgoingMessage&& message) {
  if (closed_ || failing_) return;
  scheduler_.Push(call_id, std::move(message));
  ScheduleFlush();
}

void Session::SendPayload(uint64_t call_id, OutgoingPayload payload) {
  if (closed_ || failing_) return;
  scheduler_.Push(call_id, std::move(payload));
  ScheduleFlush();
}

void Session::SendPieces(uint64_t call_id, OutgoingPieces pieces) {
  if (closed_ || failing_) return;
  scheduler_.Push(call_id, std::move(pieces));
  ScheduleFlush();
}

void Session::SendStatus(wire::v1::CallStatus&& status, std::shared_ptr<const std::string_view> method) {
  if (closed_ || failing_) return;
  const uint64_t call_id = status.call_id();
  if (const auto it = calls_.find(call_id); it != calls_.end()) it->second.method = std::move(method);
  if (const absl::Status fits = CheckFits(FrameType::kStatus, status); !fits.ok()) CutStatus(fits, status);
  ScheduleFlush();
  // What was received is told first, so that the client's reports are complete when its call ends.
  const bool tells = acks_owed_.HasNews(receiver_.received_bytes());
  if (!tells || (batch_.empty() && scheduler_.control().size() < kMaxControlBytes / 2)) {
    AppendAck();
    if (scheduler_.SendAtOnce(status)) return OnCallSent(call_id, 0);
  }
  scheduler_.Push(call_id, std::move(status));
  scheduler_.Finish(call_id);
}

void Session::EndCall(uint64_t call_id) {
  if (closed_ || failing_) return;
  scheduler_.Finish(call_id);
}

void Session::SendCancel(wire::v1::Cancel cancel) {
  if (closed_ || failing_) return;
  const uint64_t call_id = cancel.call_id();
  if (scheduler_.Abort(call_id)) {
    AppendAck();  // first, so that the peer knows what had arrived when it hears of the cancellation
    Control(FrameType::kCancel, 0, cancel);
  } else if (const auto it = calls_.find(call_id); it != calls_.end()) {
    it->second.unheard_of = !it->second.peer_ended;
    EndPeer(call_id);
  }
  scheduler_.Finish(call_id);
}

void Session::StopSending(uint64_t call_id) { scheduler_.Abort(call_id); }

void Session::OnRead(uint64_t call_id, Unread unread) {
  if (!closed_ && !failing_) receiver_.OnRead(call_id, std::move(unread));
}

void Session::DiscardIncoming(uint64_t call_id) { receiver_.Discard(call_id); }

void Session::SendGoAway(const absl::Status& reason) {
  if (closed_ || failing_) return;
  wire::v1::GoAway go_away;
  go_away.set_last_call_id(options_.initiator ? 0 : last_call_id_);
  go_away.set_message(std::string(reason.message()));
  Control(FrameType::kGoAway, 0, go_away);
}

absl::Status Session::CheckFits(FrameType type, const google::protobuf::MessageLite& body) const {
  return wire::CheckFits(type, body, 0, peer_settings_.frame_limits());
}

void Session::OnCallSent(uint64_t call_id, uint64_t bytes) {
  const auto it = calls_.find(call_id);
  if (it == calls_.end()) return;
  it->second.sent_bytes += bytes;
  it->second.method.reset();
  it->second.local_ended = true;
  EndIfBoth(call_id, it->second);
}

void Session::EndPeer(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it == calls_.end()) return;
  it->second.peer_ended = true;
  EndIfBoth(call_id, it->second);
}

void Session::EndIfBoth(uint64_t call_id, const Call& call) {
  if (!call.local_ended || !call.peer_ended) return;
  ended_calls_.push_back(call_id);
  ScheduleFlush();  // which forgets it, outside of any frame's handling
}

void Session::CloseEndedCalls() {
  // What ends meanwhile is in line for the next time.
  ending_calls_.swap(ended_calls_);
  for (uint64_t call_id : ending_calls_) {
    const auto it = calls_.find(call_id);
    if (it == calls_.end()) continue;
    const bool unheard_of = it->second.unheard_of;
    receiver_.CloseCall(call_id);
    sent_.Forget(it->second.sent_payload);
    calls_.erase(it);
    if (!unheard_of) continue;
    wire::v1::CallStatus status;
    status.set_call_id(call_id);
    status.set_code(static_cast<uint32_t>(absl::StatusCode::kCancelled));
    status.set_not_started(true);
    handler_.OnStatus(std::move(status));
  }
  ending_calls_.clear();
}

// Writing.

void Session::ApplyPeerSettings() {
  send_credit_.RaiseInitial(peer_settings_.initial_connection_credit, peer_settings_.initial_call_credit);
  sent_.window().set_limit(peer_settings_.window);
  // Two chunks fit into the window, so that one can be on its way while the other is being consumed.
  const uint64_t half_window = std::max(RoundDownToPage(peer_settings_.window / 2), kPageBytes);
  scheduler_.AllowBulk(std::min({kChunkBytes, peer_settings_.max_chunk_length, half_window}));
}

void Session::Control(FrameType type, uint8_t flags, const google::protobuf::MessageLite& body) {
  if (write_ended_) return;
  wire::AppendFrame(type, flags, body, {}, scheduler_.control());
  BoundControl();
}

void Session::BoundControl() {
  if (scheduler_.control().size() > kMaxControlBytes) {
    return Fail(absl::ResourceExhaustedError(absl::StrCat("the peer does not read: ", scheduler_.control().size(),
                                                          " bytes of control frames wait for it, the limit is ",
                                                          kMaxControlBytes)));
  }
  ScheduleFlush();
}

void Session::ScheduleFlush() {
  if (flush_scheduled_ || closed_) return;
  flush_scheduled_ = true;
  loop_.Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Flush();
  });
}

void Session::FlushAfterReading() {
  if (flush_scheduled_ || closed_) return;
  const bool idle = scheduler_.empty() && batch_.empty() && !closing_;
  if (idle && !acks_owed_.HasNews(receiver_.received_bytes())) return;
  flush_scheduled_ = true;
  loop_.Post([weak = weak_from_this()]() mutable {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->loop_.Post([weak = std::move(weak)] {
      if (const auto still = weak.lock()) still->Flush();
    });
  });
}

void Session::FlushInAnotherTurn() {
  flush_scheduled_ = true;
  loop_.RunAfter(absl::ZeroDuration(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Flush();
  });
}

void Session::Flush() {
  flush_scheduled_ = false;
  if (closed_ || failing_) return;
  CloseEndedCalls();
  if (write_ended_ || !WriteBatchOut()) return;
  uint64_t bytes = 0;
  AppendAck();
  while (scheduler_.Fill(batch_)) {
    bytes += batch_.bytes();
    if (!WriteBatchOut()) return;
    if (bytes >= kWrittenPerTurn) return FlushInAnotherTurn();
    AppendAck();
  }
  MaybeFinishClose();
}

bool Session::WriteBatchOut() {
  if (batch_.empty()) return true;
  const uint64_t waiting = batch_.bytes();
  IoResult result = batch_.WriteTo(*stream_);
  if (batch_.bytes() < waiting) sent_anything_ = true;
  sent_bytes_ += waiting - batch_.bytes();
  if (result.state == IoState::kOk) {
    ++written_batches_;
    return true;
  }
  if (result.state == IoState::kFailed) {
    // The peer may have said why before it went: reading ends with the same error, after what it said.
    write_ended_ = true;
    loop_.Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->OnReadable();
    });
  } else if (stall_timer_ == 0) {
    WatchForStall();
  }
  return false;
}

void Session::WatchForStall() {
  stall_timer_ = loop_.RunAfter(kWriteStall, [this, batches = written_batches_, left = batch_.bytes()] {
    stall_timer_ = 0;
    if (batch_.empty() || write_ended_) return;
    if (written_batches_ != batches || batch_.bytes() != left) return WatchForStall();
    Fail(absl::UnavailableError(absl::StrCat("the peer has read nothing for ", absl::FormatDuration(kWriteStall))));
  });
}

void Session::AppendAck() { acks_owed_.Append(receiver_.received_bytes(), scheduler_.control()); }

void Session::OnReleasedByUs() {
  Poster()([this] {
    release_timer_ = loop_.RunAfter(kReleaseDelay, [this] {
      release_timer_ = 0;
      if (write_ended_) return;
      acks_owed_.AppendReleased(receiver_.received_bytes(), scheduler_.control());
      BoundControl();
    });
  });
}

absl::AnyInvocable<void()> Session::OnPayloadReleased(uint64_t payload_id) {
  return acks_owed_.TellReleased(payload_id);
}

void Session::OnWritable() {
  TakeReleased();
  Flush();
}

void Session::TakeReleased() {
  sent_.TakeReleased(*stream_, send_terms_.same_host ? CopyReason::kSameHostCopy : CopyReason::kKernelUnsupported);
}

void Session::OnPayloadSent(uint64_t call_id, SentPayload payload) {
  PayloadEvents& events = payload.events;
  if (events.received) sent_.waiters().AwaitReceived(payload.end, std::move(events.received));
  if (events.released) sent_.waiters().AwaitReleased(payload.payload_id, std::move(events.released));
  const auto call = calls_.find(call_id);
  if (call == calls_.end()) return;
  call->second.sent_payload = payload.payload_id;
  handler_.OnSent(call_id, *payload.report);
  sent_.Add(call_id, std::move(payload));
}

void Session::SendGrant(const wire::v1::Credit& grant) { Control(FrameType::kCredit, 0, grant); }

void Session::SendReceipt(const wire::v1::Receipt& receipt) {
  if (!acks_owed_.AddReceipt(receipt)) return;
  AppendAck();
  BoundControl();
}

std::function<void(absl::AnyInvocable<void()>)> Session::Poster() {
  return [weak = weak_from_this(), &loop = loop_](absl::AnyInvocable<void()> task) {
    loop.Post([weak, task = std::move(task)]() mutable {
      const auto self = weak.lock();
      if (self != nullptr && !self->closed_ && !self->failing_) task();
    });
  };
}

// The end.

void Session::Close(absl::Duration patience) {
  if (closed_ || failing_) return;
  closing_ = true;
  loop_.CancelTimer(std::exchange(close_timer_, 0));
  ScheduleFlush();
  if (patience == absl::InfiniteDuration()) return;
  close_timer_ = loop_.RunAfter(patience, [this] {
    close_timer_ = 0;
    Fail(absl::OkStatus());
  });
}

void Session::MaybeFinishClose() {
  if (!closing_ || !scheduler_.empty() || !batch_.empty()) return;
  stream_->CloseWrite();
  write_ended_ = true;
  PollSendQueue(kClosePoll, loop_.Now() + kLastAcks);
}

void Session::PollSendQueue(absl::Duration delay, absl::Time patience_ends) {
  close_poll_timer_ = loop_.RunAfter(delay, [this, delay, patience_ends] {
    if (stream_->SendQueueEmpty() || loop_.Now() >= patience_ends) return Fail(absl::OkStatus());
    PollSendQueue(std::min(delay * 2, kLongestClosePoll), patience_ends);
  });
}

void Session::Fail(absl::Status reason) {
  if (closed_ || failing_) return;
  failing_ = true;
  if (!reason.ok() && batch_.empty() && !write_ended_) {
    // The peer's best chance to learn why. If the socket does not take it now, it will not.
    wire::v1::GoAway go_away;
    go_away.set_last_call_id(options_.initiator ? 0 : last_call_id_);
    go_away.set_code(static_cast<uint32_t>(reason.code()));
    go_away.set_message(std::string(reason.message()));
    batch_.head().append(scheduler_.control());
    wire::AppendFrame(FrameType::kGoAway, 0, go_away, {}, batch_.head());
    batch_.WriteTo(*stream_);
  }
  loop_.Post([self = shared_from_this(), reason = std::move(reason)]() mutable { self->Shut(std::move(reason)); });
}

void Session::Shut(absl::Status reason) {
  closed_ = true;
  for (Loop::TimerId* timer :
       {&stall_timer_, &handshake_timer_, &close_timer_, &close_poll_timer_, &release_timer_, &late_timer_}) {
    loop_.CancelTimer(std::exchange(*timer, 0));
  }
  scheduler_.Clear();
  batch_.Clear();
  receiver_.Clear();
  sent_.OnDead();
  Bury(loop_, std::move(stream_), std::move(sent_.ledger()));
  if (!reason.ok() && !go_away_reason_.empty()) reason = base::Annotate(reason, go_away_reason_);
  handler_.OnClosed(std::move(reason));
}

}  // namespace pagewire::transport
