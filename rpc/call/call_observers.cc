#include "call/call_observers.h"

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

void CallObservers::End(const absl::Status& status) {
  base::MutexLock lock(mutex_);
  if (std::exchange(ended_, true)) return;
  news_.end = base::CloneStatus(status);
  Wake();
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
      telling_ = news.sent.messages > 0 || news.received.messages > 0 || news.end.has_value();
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
  if (!news.end.has_value()) return;
  for (; !observers_.empty(); observers_.pop_back()) observers_.back()->OnEnd(*news.end);
}

}  // namespace pagewire::call
