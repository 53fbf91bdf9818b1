#include "transport/frame_scheduler.h"

#include <utility>

#include "wire/frame_encoder.h"
#include "wire/frame_prefix.h"
#include "wire/limits.h"

namespace pagewire::transport {
namespace {

// How many bytes of small frames go into one write. 64 KiB: a system call's fixed cost (about a microsecond) is then
// a few percent of copying them.
constexpr size_t kSmallBytesPerBatch = 64 << 10;

// How many bytes of frames may be appended before those in line have had their turn: they have at least as many in the
// same write.
constexpr size_t kAtOnceBytes = kSmallBytesPerBatch / 2;

// The largest frame of them. 4 KiB: less than any peer accepts, and what copying it costs is less than what it is
// spared.
constexpr size_t kLargestAtOnce = 4 << 10;
static_assert(kLargestAtOnce <= wire::kMessagePartBytes);

constexpr uint8_t kOnlyMessage = wire::kFlagHasMessage | wire::kFlagCovered | wire::kFlagEndStream;

}  // namespace

FrameScheduler::FrameScheduler(SendCredit& credit, SendWindow& window, const SendTerms& terms, Observer& observer)
    : credit_(credit), window_(window), terms_(terms), observer_(observer) {}

FrameScheduler::Entry& FrameScheduler::Open(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it != calls_.end()) return it->second;
  Entry& entry =
      calls_.try_emplace(call_id, OutgoingCall(call_id, credit_, window_, terms_, last_payload_id_, observer_))
          .first->second;
  if (bulk_allowed_) entry.call.AllowBulk();
  return entry;
}

void FrameScheduler::Enqueue(uint64_t call_id, Entry& entry) {
  if (entry.call.empty() && entry.finished) {
    const uint64_t bytes = credit_.Forget(call_id);
    calls_.erase(call_id);
    return observer_.OnCallSent(call_id, bytes);
  }
  if (entry.in_line) return;
  switch (entry.call.turn()) {
    case OutgoingCall::Turn::kNone:
      return;
    case OutgoingCall::Turn::kSmall:
      small_.push_back(call_id);
      break;
    case OutgoingCall::Turn::kBulk:
      bulk_.push_back(call_id);
      break;
  }
  entry.in_line = true;
}

// Not before the peer has been heard of: until then it is worth something to be able to take a call back.
bool FrameScheduler::MayGoAtOnce(uint64_t call_id, size_t bytes) const {
  return bulk_allowed_ && bytes <= kLargestAtOnce && control_.size() + bytes <= kAtOnceBytes &&
         !calls_.contains(call_id);
}

template <typename Head>
bool FrameScheduler::SendOnlyAtOnce(wire::FrameType type, uint64_t call_id, Head& head, std::string_view message,
                                    uint64_t& credit) {
  const uint64_t cost = wire::MessageCredit(message.size());
  if (!small_.empty() || !MayGoAtOnce(call_id, head.ByteSizeLong() + message.size()) || !credit_.TakeOnce(cost))
    return false;
  credit = cost;
  head.set_message_size(message.size());
  wire::AppendFrame(type, kOnlyMessage, head, message, control_);
  return true;
}

bool FrameScheduler::SendAtOnce(uint64_t call_id, wire::v1::CallStart& head, std::string_view message,
                                uint64_t& credit) {
  return SendOnlyAtOnce(wire::FrameType::kCallStart, call_id, head, message, credit);
}

bool FrameScheduler::SendAtOnce(uint64_t call_id, wire::v1::MessagePart& head, std::string_view message,
                                uint64_t& credit) {
  return SendOnlyAtOnce(wire::FrameType::kMessage, call_id, head, message, credit);
}

bool FrameScheduler::SendAtOnce(const wire::v1::CallStatus& status) {
  if (!MayGoAtOnce(status.call_id(), status.ByteSizeLong())) return false;
  wire::AppendFrame(wire::FrameType::kStatus, 0, status, {}, control_);
  return true;
}

bool FrameScheduler::Abort(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it == calls_.end()) return true;
  const bool heard_of = it->second.call.Abort();
  it->second.in_line = false;  // its turn may be another now; a stale place in a line is skipped
  Enqueue(call_id, it->second);
  return heard_of;
}

void FrameScheduler::OnGranted(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it == calls_.end()) return;
  it->second.call.OnGranted();
  Enqueue(call_id, it->second);
}

void FrameScheduler::Finish(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it == calls_.end()) return observer_.OnCallSent(call_id, 0);
  it->second.finished = true;
  Enqueue(call_id, it->second);
}

void FrameScheduler::Clear() {
  control_.clear();
  small_.clear();
  bulk_.clear();
  calls_.clear();
}

void FrameScheduler::AllowBulk(uint64_t chunk_bytes) {
  bulk_allowed_ = true;
  chunk_bytes_ = chunk_bytes;
  for (auto& [call_id, entry] : calls_) {
    entry.call.AllowBulk();
    Enqueue(call_id, entry);
  }
}

void FrameScheduler::Describe(std::vector<TransferView>& transfers) const {
  for (const auto& [call_id, entry] : calls_) {
    TransferView view;
    if (entry.call.Describe(view)) transfers.push_back(view);
  }
}

FrameScheduler::Entry* FrameScheduler::TakeFirst(std::deque<uint64_t>& line, OutgoingCall::Turn turn) {
  while (!line.empty()) {
    const auto it = calls_.find(line.front());
    if (it != calls_.end() && it->second.in_line && it->second.call.turn() == turn) return &it->second;
    line.pop_front();
  }
  return nullptr;
}

bool FrameScheduler::Fill(WriteBatch& batch) {
  control_.swap(batch.head());  // which is empty
  while (batch.head().size() < kSmallBytesPerBatch) {
    Entry* entry = TakeFirst(small_, OutgoingCall::Turn::kSmall);
    if (entry == nullptr) break;
    const uint64_t call_id = small_.front();
    small_.pop_front();
    entry->in_line = false;
    entry->call.SendSmall(batch.head());
    Enqueue(call_id, *entry);
  }
  if (Entry* entry = TakeFirst(bulk_, OutgoingCall::Turn::kBulk); entry != nullptr) {
    const uint64_t call_id = bulk_.front();
    const bool alone = bulk_.size() == 1 && small_.empty();
    if (entry->call.SendBulk(batch, chunk_bytes_, alone)) {
      bulk_.pop_front();
      entry->in_line = false;
      Enqueue(call_id, *entry);
    }
  }
  return !batch.empty();
}

}  // namespace pagewire::transport
