// The incoming half of a session: puts frames together to messages and payloads, and grants the credit for them.
#pragma once

#include <pagewire/transfer_totals.h>

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/pooled_map.h"
#include "payload/budget.h"
#include "payload/pool.h"
#include "transport/held_on_float.h"
#include "transport/incoming_item.h"
#include "transport/incoming_payload.h"
#include "transport/item_limits.h"
#include "transport/path_choice.h"
#include "transport/receive_credit.h"
#include "transport/session_handler.h"
#include "transport/session_view.h"

namespace pagewire::transport {

struct ReceiverOptions {
  std::shared_ptr<memory::Budget> held_budget;
  memory::Pool* pool = nullptr;
  Arena* arena = nullptr;  // pages are mapped here; null: they are copied
  ReceiveChoice choice;    // `map` only with an arena
  uint64_t initial_call_credit = 0;
  ItemLimits limits;  // of calls that have none of their own
  uint64_t max_open_payloads = 0;
};

// Handlers called from here may discard calls but not close them: records go between frames. (See Session.)
//
// Every function that takes something from the wire returns OK or the violation that ends the connection. Not
// thread-safe: used by whoever drives the connection.
class Receiver {
 public:
  // What the receiver asks of its session.
  class Outlet {
   public:
    virtual void SendGrant(const wire::v1::Credit& grant) = 0;
    virtual void SendReceipt(const wire::v1::Receipt& receipt) = 0;
    // Runs `task` in the session's loop, unless the session is gone by then. Any thread.
    virtual std::function<void(absl::AnyInvocable<void()>)> Poster() = 0;
    // The target of the chunk that is under way is not valid any more.
    virtual void DropChunk() = 0;
    // What tells the peer that a payload is released: called once for each that ends, and run once, when nothing of
    // its memory is held any more. Any thread, and also when the session is gone.
    virtual absl::AnyInvocable<void()> OnPayloadReleased(uint64_t payload_id) = 0;

   protected:
    ~Outlet() = default;
  };

  // `backing`: the reservation behind the connection's initial credit.
  Receiver(ReceiverOptions options, memory::Reservation backing, SessionHandler& handler, Outlet& outlet);

  // Pages of the next payloads are mapped where they can be, as far as one can know.
  bool maps() const { return maps_; }

  // Payloads that begin from now on end with digests.
  void ExpectDigests() { digests_ = true; }

  // A call's record: from its start until both its ends are done (see Session).
  void OpenCall(uint64_t call_id);
  void CloseCall(uint64_t call_id);

  // Limits of the call's own, from its next item on; they outlive the receiver.
  void LimitCall(uint64_t call_id, const ItemLimits& limits);

  bool HasCall(uint64_t call_id) const { return calls_.contains(call_id); }

  // Nobody wants the rest of what the peer sends in this call.
  void Discard(uint64_t call_id);

  // The first or a further part of a message (frames CALL_START and MESSAGE).
  absl::Status OnMessagePart(uint64_t call_id, uint8_t flags, uint64_t message_size, uint64_t payload_id,
                             std::string_view data);

  // The peer sends no further message, and says so without one.
  absl::Status OnEndStream(uint64_t call_id);

  // The peer will finish no message that it has begun.
  void AbandonMessage(uint64_t call_id);

  absl::Status OnPayloadBegin(const wire::v1::PayloadBegin& begin, uint8_t flags);

  // A chunk of `length` bytes follows: says where it goes, null if it is to be thrown away. The target stays valid
  // until OnChunkReceived or Outlet::DropChunk.
  absl::Status OnChunk(const wire::v1::Chunk& chunk, uint64_t length, ChunkTarget*& target);
  void OnChunkReceived(uint64_t length);

  absl::Status OnPayloadEnd(const wire::v1::PayloadEnd& end, std::string_view tail);

  // The application has taken an item: the call's next ones may come.
  void OnRead(uint64_t call_id, Unread unread);

  // Chunk and tail bytes that were consumed, delivered or discarded: what an ack says.
  uint64_t received_bytes() const { return received_bytes_; }

  // What the peer has begun to send in the call, and may begin to send on the connection without asking.
  uint64_t StartedIn(uint64_t call_id) const {
    const auto it = calls_.find(call_id);
    return it == calls_.end() ? 0 : it->second.credit.started;
  }
  uint64_t float_bytes() const { return credit_.float_bytes(); }

  // Of payloads that may flow: what the peer has not begun to send.
  uint64_t bytes_to_come() const { return bytes_to_come_; }

  // Of the payloads that came whole.
  TransferTotals totals() const { return totals_ == nullptr ? TransferTotals() : *totals_; }

  // Appends the payloads that have begun and not ended.
  void Describe(std::vector<TransferView>& transfers) const;

  // Drops everything; reservations go back. For a connection that has died.
  void Clear();

 private:
  struct Message {
    explicit Message(IncomingItem incoming) : item(std::move(incoming)) {}
    IncomingItem item;
    std::string bytes;
    uint64_t payload_id = 0;
  };
  struct Call {
    explicit Call(uint64_t initial_credit) : credit(initial_credit) {}
    ReceiveCredit::Call credit;
    const ItemLimits* limits = nullptr;  // null: those of all calls
    uint64_t unread = 0;                 // credit of items that were delivered and not read
    Unread announcing;                   // of the message whose payload has not ended
    std::optional<Message> message;
    uint64_t announced_payload = 0;  // by a message, not begun yet
    uint64_t open_payload = 0;       // begun, not ended
    bool discarded = false;
    bool last_message_seen = false;
  };

  Call* Find(uint64_t call_id);
  void Discard(Call& call);
  void Abandon(Call& call);
  const ItemLimits& LimitsOf(const Call& call) const { return call.limits != nullptr ? *call.limits : options_.limits; }
  // A message that came in one frame, on credit that it has, without a payload. False: nothing has happened, it is not
  // as simple as that.
  bool TakeWhole(uint64_t call_id, Call& call, std::string_view data, bool last);
  absl::Status StartMessage(uint64_t call_id, Call& call, uint8_t flags, uint64_t size, uint64_t payload_id);
  absl::Status FinishMessage(uint64_t call_id, Call& call, bool last);
  absl::Status StartItem(uint64_t call_id, Call* call, IncomingItem& item, uint64_t payload_id, bool covered);
  void RequestOrPark(uint64_t call_id, Call& call, IncomingItem& item, uint64_t payload_id);
  void Request(uint64_t call_id, Call& call, IncomingItem& item, uint64_t payload_id);
  void Grant(uint64_t call_id, Call& call, IncomingItem& item, uint64_t payload_id, memory::Reservation reservation);
  void AnnounceGrant(uint64_t call_id, Call& call, const IncomingItem& item);
  bool GrantOnFloat(uint64_t call_id, Call& call, IncomingItem& item);
  void OnFloatReleased();
  std::optional<memory::Reservation> ReserveFloat(uint64_t bytes);
  void OnReserved(uint64_t call_id, uint64_t payload_id, memory::Reservation reservation);
  void Refuse(uint64_t call_id, absl::Status status);
  void RefuseIfFailed(const IncomingPayload& payload);
  IncomingPayload::Way WayOf(const wire::v1::PayloadBegin& begin) const;
  void Settle(IncomingItem& item);
  uint64_t FloatTarget() const;
  void GrowFloat();
  void AnnounceCredit();
  void AnnounceCallCredit(uint64_t call_id, Call& call);
  IncomingItem* WaitingItem(Call& call);
  void SendConnectionCredit();

  const ReceiverOptions options_;
  SessionHandler& handler_;
  Outlet& outlet_;
  ReceiveCredit credit_;
  uint64_t float_target_;  // of the float and what is held on it together
  HeldOnFloat held_on_float_;
  bool float_grown_ = false;  // beyond what it was at first
  base::PooledMap<uint64_t, Call> calls_;
  base::PooledMap<uint64_t, IncomingPayload> payloads_;
  uint64_t last_payload_id_ = 0;  // that a message announced
  uint64_t chunk_under_way_ = 0;  // the payload that it belongs to
  uint64_t received_bytes_ = 0;
  uint64_t bytes_to_come_ = 0;
  std::unique_ptr<TransferTotals> totals_;  // null: of none
  wire::v1::Receipt receipt_;               // the last one: its memory is used again
  bool digests_ = false;
  bool maps_;
};

}  // namespace pagewire::transport
