// Which of the sender's buffers may be used again: the only place that decides it.
//
//   chunk handed to the kernel --- kernel-released --- peer-received --- peer-released
//
//   copy              free once it is handed over: the kernel has its own copy
//   zerocopy, fixed   free once it is kernel-released and peer-received
//   splice, file      free once it is peer-released; TCP has no more use for it then, since the segment that brought
//                     the news has acknowledged every byte that the peer could release
//
// When the connection dies nobody will say peer-released any more. Then spliced memory is given up: it goes back, but
// its pages are not used again (SpanOwner::GiveUpPages). Files are not ours to reuse.
// A hold keeps a handle on the chunk's payload. When the last hold and the last other handle are gone the memory goes
// back by itself. Nothing here knows a clock, and nothing is freed because time has passed.
#pragma once

#include <pagewire/paths.h>
#include <pagewire/payload.h>
#include <pagewire/transfer_report.h>

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

namespace pagewire::transport {

// One per connection. Not thread-safe: used by whoever drives the connection.
class AckLedger {
 public:
  // Rises by one with each hold.
  using HoldId = uint64_t;

  AckLedger() = default;
  AckLedger(AckLedger&&) = default;
  AckLedger& operator=(AckLedger&&) = default;

  struct Chunk {
    SendPath path = SendPath::kCopy;
    Payload payload;  // that the chunk is a part of
    uint64_t payload_id = 0;
    uint64_t bytes = 0;
    // The connection's count of payload bytes sent, this chunk included: what the peer's received_bytes will be once it
    // has consumed the chunk. Rises with each chunk.
    uint64_t end = 0;
    std::shared_ptr<TransferReport> report =
        nullptr;  // the payload's, for whoever learns what the kernel did; may be null
    std::shared_ptr<absl::Status> source =
        nullptr;  // where it is told that the payload's file cannot be read; may be null
    // That sends it, for whoever asks; it may be over.
    uint64_t call_id = 0;
  };

  // The chunk is about to be handed to the kernel.
  HoldId Add(Chunk chunk);

  // What Add was given; null once the hold is free.
  TransferReport* report(HoldId id);
  absl::Status* source(HoldId id);

  // The kernel may look at the chunk's pages from now on, once more: before each send without a copy.
  void OnReference(HoldId id);
  // It does not any more, as often as it did; or the send failed.
  void OnKernelReleased(HoldId id);

  // The chunk's last byte was handed over, or the rest never will be.
  void OnHandedOver(HoldId id);

  // The peer's transport has consumed this many payload bytes of the connection. Never falls.
  void OnPeerReceived(uint64_t total);

  // The peer's application holds nothing of these payloads any more.
  void OnPeerReleased(uint64_t first_payload, uint64_t last_payload);

  // The connection is broken: nothing more will be handed over and the peer will say nothing more. What a kernel
  // reference keeps stays until it is gone; spliced memory that cannot be given up stays for good.
  void OnDead();

  // Passes each chunk that is held to `visit(const Chunk&)`, in the order in which they were added.
  template <typename Visit>
  void VisitHolds(Visit visit) const {
    for (const Hold& hold : holds_) {
      if (hold.held) visit(hold.chunk);
    }
  }

  // Of all holds.
  size_t holds() const { return count_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t references() const { return references_; }

 private:
  struct Hold {
    Chunk chunk;
    bool held = true;
    bool handed_over = false;
    bool peer_released = false;
    bool given_up = false;
    uint32_t references = 0;  // of the kernel
  };

  bool Free(const Hold& hold) const;
  Hold* Find(HoldId id);
  void Settle(Hold& hold);
  void DropFree();

  std::deque<Hold> holds_;  // those that are free already stay until they are the first
  HoldId first_id_ = 1;     // of holds_.front()
  uint64_t received_ = 0;
  bool dead_ = false;
  size_t count_ = 0;
  uint64_t bytes_ = 0;
  uint64_t references_ = 0;
};

}  // namespace pagewire::transport
