// Decides which frame goes next.
//
// Control frames go before what stands in line, small frames before chunks, and calls take turns: one frame or one
// chunk each. What is small and need not stand in line goes in its order with control frames. Between two frames
// nothing is promised, so a control frame waits for one chunk at the most.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/pooled_map.h"
#include "transport/outgoing_call.h"
#include "transport/send_credit.h"
#include "transport/send_window.h"
#include "transport/write_batch.h"
#include "wire/frame_type.h"

namespace pagewire::transport {

// Not thread-safe: used by whoever drives the connection.
class FrameScheduler {
 public:
  class Observer : public OutgoingCall::Observer {
   public:
    // A call that is finished has sent everything: items that took so much credit.
    virtual void OnCallSent(uint64_t call_id, uint64_t bytes) = 0;

   protected:
    ~Observer() = default;
  };

  // `terms` say which path payloads take; they may change until the first is sent. All outlive the scheduler.
  FrameScheduler(SendCredit& credit, SendWindow& window, const SendTerms& terms, Observer& observer);

  // Frames that wait for nothing are appended here, in the order in which they go.
  std::string& control() { return control_; }
  const std::string& control() const { return control_; }

  // Adds an item to a call, which is opened by its first.
  template <typename Item>
  void Push(uint64_t call_id, Item&& item) {
    Entry& entry = Open(call_id);
    entry.call.Push(std::forward<Item>(item));
    Enqueue(call_id, entry);
  }

  // These spare what is small, and has nothing before it to wait for, the way through a line: it becomes a frame now.
  // False, and nothing has happened, where it has to wait; it is to be pushed then.
  //
  // The first and last message of a call, with no payload, behind its head, which is completed. `credit` becomes what
  // it took.
  bool SendAtOnce(uint64_t call_id, wire::v1::CallStart& head, std::string_view message, uint64_t& credit);
  bool SendAtOnce(uint64_t call_id, wire::v1::MessagePart& head, std::string_view message, uint64_t& credit);
  // A call's status; nothing more will be pushed, and OnCallSent is not called.
  bool SendAtOnce(const wire::v1::CallStatus& status);

  // See OutgoingCall. Of a call without a record everything was sent.
  bool Abort(uint64_t call_id);
  void OnGranted(uint64_t call_id);

  // Nothing more will be pushed. Once the call has sent what it has, maybe inside this call, its record goes and
  // OnCallSent is called.
  void Finish(uint64_t call_id);

  // The peer's preface has come. `chunk_bytes`: the largest chunk to send, whole pages.
  void AllowBulk(uint64_t chunk_bytes);

  // Moves what may be sent now into an empty batch: as many small frames as are worth one system call, then at most
  // one chunk. False when there is nothing.
  bool Fill(WriteBatch& batch);

  // The last id given to a payload of ours.
  uint64_t last_payload_id() const { return last_payload_id_; }

  // Drops everything, payloads too.
  void Clear();

  // Appends the payloads under way.
  void Describe(std::vector<TransferView>& transfers) const;

  // Everything was sent, and all calls are finished.
  bool empty() const { return control_.empty() && calls_.empty(); }

 private:
  struct Entry {
    explicit Entry(OutgoingCall outgoing) : call(std::move(outgoing)) {}
    OutgoingCall call;
    bool in_line = false;
    bool finished = false;
  };
  bool MayGoAtOnce(uint64_t call_id, size_t bytes) const;
  template <typename Head>
  bool SendOnlyAtOnce(wire::FrameType type, uint64_t call_id, Head& head, std::string_view message, uint64_t& credit);
  Entry& Open(uint64_t call_id);
  void Enqueue(uint64_t call_id, Entry& entry);
  Entry* TakeFirst(std::deque<uint64_t>& line, OutgoingCall::Turn turn);

  SendCredit& credit_;
  SendWindow& window_;
  const SendTerms& terms_;
  Observer& observer_;
  std::string control_;
  base::PooledMap<uint64_t, Entry> calls_;
  std::deque<uint64_t> small_;  // calls whose turn is kSmall
  std::deque<uint64_t> bulk_;   // calls whose turn is kBulk
  uint64_t last_payload_id_ = 0;
  bool bulk_allowed_ = false;
  uint64_t chunk_bytes_ = 0;
};

}  // namespace pagewire::transport
