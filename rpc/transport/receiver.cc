#include "transport/receiver.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "transport/page.h"
#include "transport/receipt.h"
#include "wire/frame_type.h"
#include "wire/limits.h"

namespace pagewire::transport {
namespace {

// The float of a connection that carries payloads: enough for several of 1 MiB to start without asking. A connection
// that has carried none keeps its initial float, so that thousands of idle ones cost the budget little.
constexpr uint64_t kBusyFloatBytes = 8 << 20;

// The float may lack an eighth before it grows.
constexpr uint64_t kFloatSlack = 8;

// How much of one large message is set aside before its bytes come.
constexpr uint64_t kMessageReserveBytes = 64 << 10;

absl::Status Violation(absl::string_view text) { return absl::InvalidArgumentError(text); }

}  // namespace

Receiver::Receiver(ReceiverOptions options, memory::Reservation backing, SessionHandler& handler, Outlet& outlet)
    : options_(std::move(options)),
      handler_(handler),
      outlet_(outlet),
      credit_(std::move(backing)),
      float_target_(credit_.float_bytes()),
      maps_(options_.choice.map) {}

Receiver::Call* Receiver::Find(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  return it == calls_.end() ? nullptr : &it->second;
}

void Receiver::OpenCall(uint64_t call_id) { calls_.try_emplace(call_id, options_.initial_call_credit); }

void Receiver::CloseCall(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it == calls_.end()) return;
  Abandon(it->second);
  Discard(it->second);
  calls_.erase(it);
}

void Receiver::LimitCall(uint64_t call_id, const ItemLimits& limits) {
  if (Call* call = Find(call_id)) call->limits = &limits;
}

void Receiver::Clear() {
  payloads_.clear();
  calls_.clear();
}

void Receiver::Discard(uint64_t call_id) {
  if (Call* call = Find(call_id)) Discard(*call);
}

void Receiver::Discard(Call& call) {
  call.discarded = true;
  if (call.message.has_value()) {
    call.message->bytes = std::string();
    call.message->item.StopWaiting();
    call.message->item.TakeHeld();
  }
  if (call.open_payload == 0) return;
  const auto it = payloads_.find(call.open_payload);
  if (it == payloads_.end()) return;
  it->second.item().StopWaiting();
  if (!it->second.discarded() && chunk_under_way_ == it->first) outlet_.DropChunk();
  it->second.Discard();
}

void Receiver::AbandonMessage(uint64_t call_id) {
  if (Call* call = Find(call_id)) Abandon(*call);
}

void Receiver::Abandon(Call& call) {
  if (!call.message.has_value()) return;
  Settle(call.message->item);
  call.message.reset();
}

absl::Status Receiver::OnMessagePart(uint64_t call_id, uint8_t flags, uint64_t message_size, uint64_t payload_id,
                                     std::string_view data) {
  Call* call = Find(call_id);
  if (call == nullptr) return absl::OkStatus();  // the call has ended at both sides; an old frame
  const bool continuation = (flags & wire::kFlagContinuation) != 0;
  if (continuation != call->message.has_value()) {
    return Violation(absl::StrCat("call ", call_id, ": a message ",
                                  continuation ? "continues that has not begun" : "begins inside another"));
  }
  const bool last = (flags & wire::kFlagEndStream) != 0;
  constexpr uint8_t kNotWhole = wire::kFlagContinuation | wire::kFlagMore;
  if ((flags & (kNotWhole | wire::kFlagCovered)) == wire::kFlagCovered && payload_id == 0 &&
      data.size() == message_size && TakeWhole(call_id, *call, data, last)) {
    return absl::OkStatus();
  }
  if (!continuation) {
    if (absl::Status status = StartMessage(call_id, *call, flags, message_size, payload_id); !status.ok())
      return status;
  }
  Message& message = *call->message;
  if (absl::Status status = message.item.Receive(data.size()); !status.ok()) return status;
  if (!call->discarded) {
    // Not before: a message that waits for credit costs nothing yet.
    if (message.bytes.empty()) message.bytes.reserve(std::min(message.item.size(), kMessageReserveBytes));
    message.bytes.append(data);
  }
  if ((flags & wire::kFlagMore) != 0) return absl::OkStatus();
  return FinishMessage(call_id, *call, last);
}

bool Receiver::TakeWhole(uint64_t call_id, Call& call, std::string_view data, bool last) {
  if (call.discarded || call.last_message_seen || call.announced_payload != 0 || call.open_payload != 0 ||
      data.size() > LimitsOf(call).max_message_bytes) {
    return false;
  }
  const uint64_t credit = wire::MessageCredit(data.size());
  std::optional<memory::Reservation> backing = credit_.Start(&call.credit, credit);
  if (!backing.has_value()) return false;
  GrowFloat();
  AnnounceCredit();
  call.last_message_seen = last;
  call.unread += credit;
  handler_.OnMessage(call_id, {std::string(data), 0, last, {credit, credit, std::move(backing)}});
  return true;
}

absl::Status Receiver::StartMessage(uint64_t call_id, Call& call, uint8_t flags, uint64_t size, uint64_t payload_id) {
  if (call.last_message_seen) return Violation(absl::StrCat("call ", call_id, ": a message after END_STREAM"));
  if (const uint64_t before = std::max(call.announced_payload, call.open_payload); before != 0) {
    return Violation(absl::StrCat("call ", call_id, ": a message begins before payload ", before, " ended"));
  }
  if (payload_id != 0) {
    if (payload_id <= last_payload_id_) {
      return Violation(absl::StrCat("call ", call_id, ": payload id ", payload_id, " is not above the last one, ",
                                    last_payload_id_));
    }
    last_payload_id_ = payload_id;
    call.announced_payload = payload_id;
  }
  Message& message = call.message.emplace(IncomingItem("message of call", call_id, size, wire::MessageCredit(size)));
  message.payload_id = payload_id;
  const bool covered = (flags & wire::kFlagCovered) != 0;
  const ItemLimits& limits = LimitsOf(call);
  if (!call.discarded && size > limits.max_message_bytes) {
    Refuse(call_id, absl::ResourceExhaustedError(
                        absl::StrCat("received message of ", size, " bytes is larger than the limit of ",
                                     limits.max_message_bytes, "; raise ", limits.message_option)));
  }
  return StartItem(call_id, &call, message.item, 0, covered);
}

absl::Status Receiver::FinishMessage(uint64_t call_id, Call& call, bool last) {
  if (call.message->item.remaining() > 0) {
    return Violation(absl::StrCat("message of call ", call_id, " ended after ", call.message->item.received(), " of ",
                                  call.message->item.size(), " announced bytes"));
  }
  call.last_message_seen = last;
  if (call.discarded) {
    Settle(call.message->item);
    call.message.reset();
    return absl::OkStatus();
  }
  IncomingItem& item = call.message->item;
  Unread unread;
  item.AddTo(unread);
  unread.backing = item.TakeFloatBacking();
  if (!unread.backing.has_value()) unread.backing = item.TakeHeld();
  IncomingMessage message{std::move(call.message->bytes), call.message->payload_id, last, {}};
  call.message.reset();
  if (message.payload_id != 0) {
    call.announcing = std::move(unread);
  } else {
    call.unread += unread.credit;
    message.unread = std::move(unread);
  }
  handler_.OnMessage(call_id, std::move(message));
  return absl::OkStatus();
}

absl::Status Receiver::OnEndStream(uint64_t call_id) {
  Call* call = Find(call_id);
  if (call == nullptr) return absl::OkStatus();
  if (call->message.has_value()) return Violation(absl::StrCat("call ", call_id, ": END_STREAM inside a message"));
  if (call->last_message_seen) return Violation(absl::StrCat("call ", call_id, ": END_STREAM twice"));
  call->last_message_seen = true;
  return absl::OkStatus();
}

absl::Status Receiver::OnPayloadBegin(const wire::v1::PayloadBegin& begin, uint8_t flags) {
  if (payloads_.size() >= options_.max_open_payloads) {
    return absl::ResourceExhaustedError(
        absl::StrCat("PAYLOAD_BEGIN: ", payloads_.size(), " payloads are open on this connection, which is the limit"));
  }
  if (!begin.has_size() || begin.piecewise()) {
    return Violation(absl::StrCat("PAYLOAD_BEGIN: payload ", begin.payload_id(),
                                  " is piecewise or of unknown size, which was not negotiated"));
  }
  Call* call = Find(begin.call_id());
  const uint64_t size = begin.size();
  // Of a call that is over nothing more is known than which ids have been announced at all.
  const bool announced = call != nullptr
                             ? call->announced_payload == begin.payload_id()
                             : begin.payload_id() <= last_payload_id_ && !payloads_.contains(begin.payload_id());
  if (!announced) {
    return Violation(absl::StrCat("PAYLOAD_BEGIN: payload ", begin.payload_id(),
                                  " was not announced by a message of call ", begin.call_id()));
  }
  if (call != nullptr) {
    if (call->message.has_value()) {
      return Violation(absl::StrCat("PAYLOAD_BEGIN: payload ", begin.payload_id(), " begins inside a message of call ",
                                    begin.call_id()));
    }
    call->announced_payload = 0;
    call->open_payload = begin.payload_id();
  }
  const auto [it, inserted] =
      payloads_.try_emplace(begin.payload_id(), begin.payload_id(), begin.call_id(), size, WayOf(begin));
  if (!inserted) return Violation(absl::StrCat("PAYLOAD_BEGIN: payload ", begin.payload_id(), " has begun already"));
  if (begin.receive_path() != wire::v1::RECEIVE_PATH_UNSPECIFIED) maps_ = it->second.maps();
  IncomingPayload& payload = it->second;
  if (call == nullptr || call->discarded) {
    payload.Discard();
  } else if (const ItemLimits& limits = LimitsOf(*call);
             limits.max_payload_bytes != 0 && size > limits.max_payload_bytes) {
    Refuse(begin.call_id(),
           absl::ResourceExhaustedError(absl::StrCat("payload of ", size, " bytes is larger than the limit of ",
                                                     limits.max_payload_bytes, "; raise ", limits.payload_option)));
  } else {
    float_target_ = kBusyFloatBytes;
  }
  return StartItem(begin.call_id(), call, payload.item(), begin.payload_id(), (flags & wire::kFlagCovered) != 0);
}

absl::Status Receiver::StartItem(uint64_t call_id, Call* call, IncomingItem& item, uint64_t payload_id, bool covered) {
  const bool wanted = call != nullptr && !call->discarded;
  if (!covered) {
    if (wanted) RequestOrPark(call_id, *call, item, payload_id);
    GrowFloat();
    AnnounceCredit();
    return absl::OkStatus();
  }
  std::optional<memory::Reservation> backing = credit_.Start(call == nullptr ? nullptr : &call->credit, item.credit());
  if (!backing.has_value()) {
    return Violation(absl::StrCat("call ", call_id, ": an item of ", item.credit(),
                                  " bytes was started as covered, but the credit granted does not cover it (",
                                  credit_.float_bytes(), " bytes free on the connection)"));
  }
  item.SetFromLimit();
  if (payload_id != 0) bytes_to_come_ += item.size();
  // A payload may be held long, so it is charged to the held budget, and the float is whole again, if that has room; if
  // not, the float stays smaller by it.
  std::optional<memory::Reservation> held;
  if (wanted && payload_id != 0) {
    held = options_.held_budget->TryReserve(item.size(), {handler_.HolderOf(call_id), call_id});
  }
  if (held.has_value()) {
    item.StartOnGrant(*std::move(held));
    credit_.Refill(*std::move(backing), FloatTarget());
  } else {
    if (payload_id != 0) held_on_float_.Add(item.credit());
    item.StartOnFloat(*std::move(backing));
  }
  GrowFloat();
  AnnounceCredit();
  return absl::OkStatus();
}

uint64_t Receiver::FloatTarget() const { return float_target_ - std::min(float_target_, held_on_float_.bytes()); }

void Receiver::GrowFloat() {
  const uint64_t target = FloatTarget();
  // What small messages take comes back when they are read: not worth the budget's lock, which all connections share.
  if (credit_.float_bytes() >= target - target / kFloatSlack) return;
  if (auto reservation = ReserveFloat(target - credit_.float_bytes())) {
    credit_.Refill(*std::move(reservation), target);
    float_grown_ = true;
  }
}

std::optional<memory::Reservation> Receiver::ReserveFloat(uint64_t bytes) {
  memory::Budget& budget = memory::ConnectionCreditBudget();
  // The other half is for messages in transit.
  if (budget.reserved() + bytes > budget.limit() / 2) return std::nullopt;
  return budget.TryReserve(bytes, "connection credit");
}

// What the application does not read stops its call: such items wait for nothing that others could use.
void Receiver::RequestOrPark(uint64_t call_id, Call& call, IncomingItem& item, uint64_t payload_id) {
  if (call.unread == 0 || call.unread + item.credit() <= options_.initial_call_credit) {
    Request(call_id, call, item, payload_id);
  } else {
    item.Park();
  }
}

IncomingItem* Receiver::WaitingItem(Call& call) {
  if (call.message.has_value()) return &call.message->item;
  const auto it = payloads_.find(call.open_payload);
  return it == payloads_.end() ? nullptr : &it->second.item();
}

void Receiver::OnRead(uint64_t call_id, Unread unread) {
  if (unread.backing.has_value()) {
    credit_.Refill(*std::move(unread.backing), FloatTarget());
    AnnounceCredit();
  }
  Call* call = Find(call_id);
  if (call == nullptr) return;
  call->unread -= unread.credit;
  credit_.Return(call->credit, unread.from_limit);
  IncomingItem* item = call->discarded ? nullptr : WaitingItem(*call);
  if (item != nullptr && item->parked()) {
    item->Unpark();
    return RequestOrPark(call_id, *call, *item, call->message.has_value() ? 0 : call->open_payload);
  }
  if (call->credit.limit - call->credit.announced >= options_.initial_call_credit / 2 && !call->last_message_seen) {
    if (credit_.unannounced() > 0) SendConnectionCredit();
    AnnounceCallCredit(call_id, *call);
  }
}

void Receiver::Request(uint64_t call_id, Call& call, IncomingItem& item, uint64_t payload_id) {
  memory::Budget& budget = payload_id != 0 ? *options_.held_budget : memory::ConnectionCreditBudget();
  const std::string holder(handler_.HolderOf(call_id));
  if (auto reservation = budget.TryReserve(item.credit(), {holder, call_id})) {
    return Grant(call_id, call, item, payload_id, *std::move(reservation));
  }
  if (payload_id != 0 && GrantOnFloat(call_id, call, item)) return;
  auto granted = [post = outlet_.Poster(), this, call_id, payload_id](memory::Reservation reservation) mutable {
    post([this, call_id, payload_id, reservation = std::move(reservation)]() mutable {
      OnReserved(call_id, payload_id, std::move(reservation));
    });
  };
  const bool may_refuse = payload_id != 0 && handler_.MayRefuse(call_id);
  absl::StatusOr<memory::Ticket> ticket =
      budget.Reserve(item.credit(), {holder, call_id}, std::move(granted),
                     may_refuse ? memory::Patience::kShortLine : memory::Patience::kAnyLine);
  if (ticket.ok()) {
    item.WaitWith(*std::move(ticket));
  } else {
    Refuse(call_id, ticket.status());
  }
}

void Receiver::OnReserved(uint64_t call_id, uint64_t payload_id, memory::Reservation reservation) {
  Call* call = Find(call_id);
  IncomingItem* item = nullptr;
  if (payload_id != 0) {
    const auto it = payloads_.find(payload_id);
    if (it != payloads_.end()) item = &it->second.item();
  } else if (call != nullptr && call->message.has_value()) {
    item = &call->message->item;
  }
  if (call == nullptr || item == nullptr || !item->waiting()) return;  // withdrawn meanwhile; nothing was granted
  Grant(call_id, *call, *item, payload_id, std::move(reservation));
}

void Receiver::Grant(uint64_t call_id, Call& call, IncomingItem& item, uint64_t payload_id,
                     memory::Reservation reservation) {
  if (payload_id != 0) bytes_to_come_ += item.size();
  item.StartOnGrant(std::move(reservation));
  AnnounceGrant(call_id, call, item);
}

void Receiver::AnnounceGrant(uint64_t call_id, Call& call, const IncomingItem& item) {
  // Two frames: the one that names the call must raise the connection's limit by what the item takes and no more.
  if (credit_.unannounced() > 0) SendConnectionCredit();
  credit_.Grant(call.credit, item.credit());
  AnnounceCallCredit(call_id, call);
}

// A payload that asks while the float lacks as much could have started on the float, had that been whole already.
bool Receiver::GrantOnFloat(uint64_t call_id, Call& call, IncomingItem& item) {
  if (!float_grown_ || credit_.float_bytes() + item.credit() > FloatTarget()) return false;
  std::optional<memory::Reservation> reservation = ReserveFloat(item.credit());
  if (!reservation.has_value()) return false;
  bytes_to_come_ += item.size();
  held_on_float_.Add(item.credit());
  item.StopWaiting();
  item.StartOnFloat(*std::move(reservation));
  AnnounceGrant(call_id, call, item);
  return true;
}

void Receiver::OnFloatReleased() {
  std::vector<uint64_t> waiting;
  for (const auto& [payload_id, payload] : payloads_) {
    if (payload.item().waiting()) waiting.push_back(payload_id);
  }
  std::sort(waiting.begin(), waiting.end());
  for (const uint64_t payload_id : waiting) {
    IncomingPayload& payload = payloads_.find(payload_id)->second;
    Call* call = Find(payload.call_id());
    if (call == nullptr || !GrantOnFloat(payload.call_id(), *call, payload.item())) break;
  }
  GrowFloat();
  AnnounceCredit();
}

// With a grant, or for items to come; then the connection's limit must not rise by this frame.
void Receiver::AnnounceCallCredit(uint64_t call_id, Call& call) {
  wire::v1::Credit grant;
  grant.set_connection_limit(credit_.connection_limit());
  grant.set_call_id(call_id);
  grant.set_call_limit(call.credit.limit);
  credit_.SetAnnounced();
  call.credit.announced = call.credit.limit;
  outlet_.SendGrant(grant);
}

void Receiver::AnnounceCredit() {
  // Of a small float all is worth a frame: a payload that asks because it does not know stands in the held budget's
  // line.
  const uint64_t worth_it = held_on_float_.bytes() > 0 ? 1 : float_target_ / 2;
  if (credit_.unannounced() >= worth_it) SendConnectionCredit();
}

void Receiver::SendConnectionCredit() {
  wire::v1::Credit grant;
  grant.set_connection_limit(credit_.connection_limit());
  credit_.SetAnnounced();
  outlet_.SendGrant(grant);
}

void Receiver::Refuse(uint64_t call_id, absl::Status status) {
  Discard(call_id);
  handler_.OnRefused(call_id, std::move(status));
}

void Receiver::Settle(IncomingItem& item) {
  item.StopWaiting();
  item.TakeHeld();
  if (auto backing = item.TakeFloatBacking()) {
    credit_.Refill(*std::move(backing), FloatTarget());
    AnnounceCredit();
  }
}

IncomingPayload::Way Receiver::WayOf(const wire::v1::PayloadBegin& begin) const {
  const ReceiveChoice& choice = options_.choice;
  IncomingPayload::Way way{options_.pool, nullptr, choice.reason, digests_, begin.measure()};
  const bool advised = choice.takes_advice && (begin.receive_path() == wire::v1::RECEIVE_PATH_COPY ||
                                               begin.receive_path() == wire::v1::RECEIVE_PATH_MAP);
  if (advised ? begin.receive_path() == wire::v1::RECEIVE_PATH_COPY : !choice.map) return way;
  if (!advised && begin.size() < choice.map_from_bytes) {
    way.reason = CopyReason::kBelowThreshold;
    return way;
  }
  way.arena = options_.arena;
  if (way.arena == nullptr) {
    // Only now: an arena that nobody needs is not made.
    const absl::StatusOr<std::shared_ptr<Arena>>& arena = Arena::Default();
    if (!arena.ok()) {
      way.reason = CopyReason::kNoArena;
    } else {
      way.arena = arena->get();
    }
  }
  return way;
}

void Receiver::RefuseIfFailed(const IncomingPayload& payload) {
  if (payload.failure().ok() || Find(payload.call_id()) == nullptr) return;
  Refuse(payload.call_id(), base::CloneStatus(payload.failure()));
}

void Receiver::Describe(std::vector<TransferView>& transfers) const {
  for (const auto& [payload_id, payload] : payloads_) {
    TransferView view;
    view.place = {false, payload_id};
    view.Take(payload.report());
    view.call_id = payload.call_id();
    view.moved_bytes = payload.offset();
    view.phase = payload.discarded()        ? TransferView::Phase::kDiscarded
                 : payload.item().started() ? TransferView::Phase::kMoving
                                            : TransferView::Phase::kWaitingForCredit;
    transfers.push_back(std::move(view));
  }
}

absl::Status Receiver::OnChunk(const wire::v1::Chunk& chunk, uint64_t length, ChunkTarget*& target) {
  const auto it = payloads_.find(chunk.payload_id());
  if (it == payloads_.end()) {
    return Violation(absl::StrCat("CHUNK: payload ", chunk.payload_id(),
                                  chunk.payload_id() <= last_payload_id_ ? " has ended" : " was never opened"));
  }
  IncomingPayload& payload = it->second;
  if (chunk.offset() != payload.offset()) {
    return Violation(absl::StrCat("CHUNK: payload ", chunk.payload_id(), " continues at offset ", chunk.offset(),
                                  " after ", payload.offset(), " bytes"));
  }
  if (absl::Status status = payload.item().Receive(length); !status.ok()) return status;
  bytes_to_come_ -= length;
  const bool was_discarded = payload.discarded();
  target = payload.BeginChunk(length);
  if (target == nullptr && !was_discarded) RefuseIfFailed(payload);
  chunk_under_way_ = chunk.payload_id();
  return absl::OkStatus();
}

void Receiver::OnChunkReceived(uint64_t length) {
  received_bytes_ += length;
  const auto it = payloads_.find(std::exchange(chunk_under_way_, 0));
  if (it == payloads_.end() || it->second.discarded()) return;
  it->second.EndChunk();
  RefuseIfFailed(it->second);
}

absl::Status Receiver::OnPayloadEnd(const wire::v1::PayloadEnd& end, std::string_view tail) {
  const auto it = payloads_.find(end.payload_id());
  if (it == payloads_.end()) {
    return Violation(absl::StrCat("PAYLOAD_END: payload ", end.payload_id(),
                                  end.payload_id() <= last_payload_id_ ? " has ended" : " was never opened"));
  }
  IncomingPayload& payload = it->second;
  const uint64_t call_id = payload.call_id();
  if (payload.item().started()) bytes_to_come_ -= payload.item().remaining();
  if (absl::Status status = payload.item().Receive(tail.size()); !status.ok()) return status;
  const bool complete = end.outcome() == wire::v1::PayloadEnd::COMPLETE;
  if (end.size() != payload.item().received() || (complete && payload.item().remaining() > 0)) {
    return Violation(absl::StrCat("PAYLOAD_END: payload ", end.payload_id(), " of ", payload.item().size(),
                                  " bytes ends with size ", end.size(), " after ", payload.item().received(),
                                  " bytes"));
  }
  if (complete && digests_ && !PayloadDigest::IsValid(end.digest())) {
    return Violation(absl::StrCat("PAYLOAD_END: payload ", end.payload_id(),
                                  " ends without an XXH3-128 digest, which was negotiated"));
  }
  received_bytes_ += tail.size();
  Call* call = Find(call_id);
  if (!payload.discarded()) {
    payload.AppendTail(tail);
    RefuseIfFailed(payload);
  }
  const bool wanted = call != nullptr && !payload.discarded();
  absl::StatusOr<Payload> result;
  if (!complete) {
    result = end.outcome() == wire::v1::PayloadEnd::ABORTED
                 ? absl::AbortedError(absl::StrCat("the sender gave up its payload after ", end.size(), " bytes"))
                 : absl::DataLossError(absl::StrCat("the payload's source failed at the sender: ", end.message()));
  } else if (const auto digest = payload.digest(); digest.has_value() && digest->value() != end.digest().value()) {
    result = absl::DataLossError(absl::StrCat(
        "payload ", end.payload_id(), " of ", end.size(), " bytes changed on its way: its sender's digest is ",
        PayloadDigest::ToString(end.digest()), ", that of what came is ", PayloadDigest::ToString(*digest)));
  } else if (wanted) {
    payload.CountReturn();
    WriteReceipt(end.payload_id(), payload.report(), receipt_);
    outlet_.SendReceipt(receipt_);
    absl::AnyInvocable<void()> released = outlet_.OnPayloadReleased(end.payload_id());
    if (payload.item().on_float()) {
      payload.item().NameHolder({handler_.HolderOf(call_id), call_id});
      released = held_on_float_.RemoveOnRelease(
          payload.item().credit(), [released = std::move(released), post = outlet_.Poster(), this]() mutable {
            if (released != nullptr) released();
            post([this] { OnFloatReleased(); });
          });
    }
    result = payload.Finish(std::move(released));
    if (totals_ == nullptr) totals_ = std::make_unique<TransferTotals>();
    totals_->Add(payload.report());
  }
  if (payload.item().on_float()) held_on_float_.Remove(payload.item().credit());
  Settle(payload.item());  // whatever was not handed over
  const TransferReport report = payload.report();
  Unread unread;
  if (call != nullptr && call->open_payload == end.payload_id()) {
    call->open_payload = 0;
    unread = std::exchange(call->announcing, Unread());
    payload.item().AddTo(unread);
    if (wanted) call->unread += unread.credit;
  }
  payloads_.erase(it);
  // What the application never gets it holds nothing of, and cannot let go. Told only now that the pages are gone.
  if (!result.ok()) outlet_.OnPayloadReleased(end.payload_id())();
  if (wanted) handler_.OnPayload(call_id, std::move(result), report, std::move(unread));
  return absl::OkStatus();
}

}  // namespace pagewire::transport
