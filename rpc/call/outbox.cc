#include "call/outbox.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "transport/outgoing_call.h"

namespace pagewire::call {
namespace {

// What may wait in line while a writer goes on. 64 KiB: what one batch of small frames takes, so that the line is not
// empty while the next message is being made.
constexpr uint64_t kUnsentBytes = 64 << 10;

// What a small message counts, so that many of them do not make a long line.
constexpr uint64_t kLeastBytes = 256;

uint64_t Weight(uint64_t bytes) { return std::max(bytes, kLeastBytes); }

}  // namespace

void Outbox::Add(uint64_t bytes, internal::RawStream::WriteDone done) { AddWeight(Weight(bytes), std::move(done)); }

void Outbox::AddPieces(uint64_t bytes, internal::RawStream::WriteDone done) {
  uint64_t weight = transport::PieceCount(bytes) * Weight(0);
  weight += bytes / transport::kPieceBytes * Weight(transport::kPieceBytes);
  if (const uint64_t last = bytes % transport::kPieceBytes; last > 0) weight += Weight(last);
  AddWeight(weight, std::move(done));
}

void Outbox::AddWeight(uint64_t weight, internal::RawStream::WriteDone done) {
  if (failed()) return done(base::CloneStatus(failure_));
  unsent_ += weight;
  waiting_.push_back(std::move(done));
  Answer();
}

void Outbox::OnSent(uint64_t bytes) {
  unsent_ -= std::min(unsent_, Weight(bytes));
  Answer();
}

void Outbox::Fail(absl::Status status) {
  if (failed() || status.ok()) return;
  failure_ = std::move(status);
  Answer();
}

void Outbox::Answer() {
  while (!waiting_.empty() && (failed() || unsent_ <= kUnsentBytes)) {
    internal::RawStream::WriteDone done = std::move(waiting_.front());
    waiting_.pop_front();
    done(base::CloneStatus(failure_));
  }
}

}  // namespace pagewire::call
