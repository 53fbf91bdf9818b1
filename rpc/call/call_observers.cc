#include "call/call_observers.h"

#include <absl/time/clock.h>
#include <pagewire/executor.h>

#include <utility>

#include "base/status.h"

namespace pagewire::call {

namespace {

void Count(uint64_t message_bytes, uint64_t payload_bytes, MessageTraffic& traffic) {
  ++traffic.messages;
  traffic.message_bytes += message_bytes;
  traffic.payload_bytes += payload_bytes;
}

}  // namespace

void CallObservers::Sent(uint64_t message_bytes, uint64_t payload_bytes) {
  base::MutexLock lock(mutex_);
  if (ended_) return;
  Count(message_bytes, payload_bytes, news_.sent);
  Wake();
}

void CallObservers::Received(uint64_t message_bytes, uint64_t payload_bytes) {
  base::MutexLock lock(mutex_);
  if (ended_) return;
  Count(message_bytes, payload_bytes, news_.received);
  Wake();
}

void CallObservers::PayloadsSent(TransferTotals totals) {
  totals.acknowledged = absl::Now();
  CountTransfers(totals, &Transfers::sent);
}

void CallObservers::PayloadsReceived(const TransferTotals& totals) { CountTransfers(totals, &Transfers::received); }

void CallObservers::CountTransfers(const TransferTotals& more, TransferTotals Transfers::*direction) {
  base::MutexLock lock(mutex_);
  if (ended_) return;
  if (news_.transfers == nullptr) news_.transfers = std::make_unique<Transfers>();
  ((*news_.transfers).*direction).Add(more);
  Wake();
}

void CallObservers::End(const absl::Status& status, const std::shared_ptr<const std::string>& peer) {
  base::MutexLock lock(mutex_);
  if (std::exchange(ended_, true)) return;
  if (peer != nullptr) news_.peer = *peer;
  news_.end = base::CloneStatus(status);
  Wake();
}

bool CallObservers::News::empty() const {
  return sent.messages == 0 && received.messages == 0 && transfers == nullptr && !end.has_value();
}

void CallObservers::Wake() {
  if (std::exchange(telling_, true)) return;
  DefaultExecutor().Run([self = shared_from_this()] { self->TellAll(); });
}

void CallObservers::TellAll() {
  for (;;) {
    News news;
    {
      base::MutexLock lock(mutex_);
      news = std::exchange(news_, News());
      telling_ = !news.empty();
      if (!telling_) return;
    }
    Tell(news);
  }
}

void CallObservers::Tell(const News& news) {
  if (news.sent.messages > 0) {
    for (const auto& observer : observers_) observer->OnSent(news.sent);
  }
  for (auto it = observers_.rbegin(); news.received.messages > 0 && it != observers_.rend(); ++it) {
    (*it)->OnReceived(news.received);
  }
  if (news.transfers != nullptr) TellTransfers(*news.transfers);
  if (!news.end.has_value()) return;
  if (!news.peer.empty()) {
    for (const auto& observer : observers_) observer->OnPeer(news.peer);
  }
  for (; !observers_.empty(); observers_.pop_back()) observers_.back()->OnEnd(*news.end);
}

void CallObservers::TellTransfers(const Transfers& transfers) {
  if (transfers.sent.payloads > 0) {
    for (const auto& observer : observers_) observer->OnPayloadsSent(transfers.sent);
  }
  if (transfers.received.payloads == 0) return;
  for (auto it = observers_.rbegin(); it != observers_.rend(); ++it) (*it)->OnPayloadsReceived(transfers.received);
}

}  // namespace pagewire::call
