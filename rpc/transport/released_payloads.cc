#include "transport/released_payloads.h"

#include <algorithm>
#include <utility>

namespace pagewire::transport {

void ReleasedPayloads::Add(uint64_t payload_id) {
  base::MutexLock lock(mutex_);
  if (closed_) return;
  ids_.push_back(payload_id);
  if (!std::exchange(notified_, true)) notify_();
}

void ReleasedPayloads::Rearm() {
  base::MutexLock lock(mutex_);
  notified_ = !closed_ && !ids_.empty();
  if (notified_) notify_();
}

void ReleasedPayloads::Take(int most, google::protobuf::RepeatedPtrField<wire::v1::IdRange>& released) {
  base::MutexLock lock(mutex_);
  std::sort(ids_.begin(), ids_.end());
  auto it = ids_.begin();
  for (int ranges = 0; it != ids_.end() && ranges < most; ++ranges) {
    wire::v1::IdRange& range = *released.Add();
    range.set_first(*it);
    uint64_t last = *it++;
    while (it != ids_.end() && *it == last + 1) last = *it++;
    range.set_last(last);
  }
  ids_.erase(ids_.begin(), it);
}

void ReleasedPayloads::Close() {
  base::MutexLock lock(mutex_);
  closed_ = true;
  ids_ = {};
}

}  // namespace pagewire::transport
