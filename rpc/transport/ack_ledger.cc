#include "transport/ack_ledger.h"

#include <cassert>
#include <utility>

#include "payload/lending.h"

namespace pagewire::transport {

AckLedger::HoldId AckLedger::Add(Chunk chunk) {
  ++count_;
  bytes_ += chunk.bytes;
  holds_.push_back({std::move(chunk)});
  return first_id_ + holds_.size() - 1;
}

AckLedger::Hold* AckLedger::Find(HoldId id) {
  if (id < first_id_ || id - first_id_ >= holds_.size()) return nullptr;
  Hold& hold = holds_[id - first_id_];
  return hold.held ? &hold : nullptr;
}

TransferReport* AckLedger::report(HoldId id) {
  const Hold* hold = Find(id);
  return hold == nullptr ? nullptr : hold->chunk.report.get();
}

absl::Status* AckLedger::source(HoldId id) {
  const Hold* hold = Find(id);
  return hold == nullptr ? nullptr : hold->chunk.source.get();
}

void AckLedger::OnReference(HoldId id) {
  Hold* hold = Find(id);
  assert(hold != nullptr && !hold->handed_over);
  ++hold->references;
  ++references_;
}

void AckLedger::OnKernelReleased(HoldId id) {
  Hold* hold = Find(id);
  assert(hold != nullptr && hold->references > 0);
  --hold->references;
  --references_;
  Settle(*hold);
  DropFree();
}

void AckLedger::OnHandedOver(HoldId id) {
  Hold* hold = Find(id);
  assert(hold != nullptr);
  hold->handed_over = true;
  Settle(*hold);
  DropFree();
}

void AckLedger::OnPeerReceived(uint64_t total) {
  received_ = total;
  for (Hold& hold : holds_) {
    if (hold.chunk.end > total) break;
    Settle(hold);
  }
  DropFree();
}

void AckLedger::OnPeerReleased(uint64_t first_payload, uint64_t last_payload) {
  for (Hold& hold : holds_) {
    if (hold.chunk.payload_id < first_payload || hold.chunk.payload_id > last_payload) continue;
    hold.peer_released = true;
    Settle(hold);
  }
  DropFree();
}

void AckLedger::OnDead() {
  dead_ = true;
  for (Hold& hold : holds_) {
    hold.handed_over = true;
    if (hold.held && hold.chunk.path == SendPath::kSplice && memory::Lendable(hold.chunk.payload)) {
      memory::GiveUpPages(hold.chunk.payload);
      hold.given_up = true;
    }
    Settle(hold);
  }
  DropFree();
}

void AckLedger::Settle(Hold& hold) {
  if (!hold.held || !Free(hold)) return;
  hold.held = false;
  --count_;
  bytes_ -= hold.chunk.bytes;
  hold.chunk.payload = Payload();
  hold.chunk.report = nullptr;
  hold.chunk.source = nullptr;
}

void AckLedger::DropFree() {
  while (!holds_.empty() && !holds_.front().held) {
    holds_.pop_front();
    ++first_id_;
  }
}

}  // namespace pagewire::transport
