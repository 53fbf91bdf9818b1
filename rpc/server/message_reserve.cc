#include <pagewire/internal/message_reserve.h>

#include <cstddef>
#include <vector>

#include "base/mutex.h"

namespace pagewire::internal {
namespace {

// As many calls of one method as usually run at once; sets beyond that are made and destroyed.
constexpr size_t kMaxSets = 64;

// One that had more to hold would keep that memory for calls that mostly need less: strings keep their capacity, and an
// arena all its blocks.
constexpr uint64_t kMaxBytes = 64 << 10;

}  // namespace

struct MessageReserve::Sets {
  base::Mutex mutex;
  std::vector<std::unique_ptr<Set>> free ABSL_GUARDED_BY(mutex);
};

MessageReserve::MessageReserve(const google::protobuf::MessageLite& request, const google::protobuf::MessageLite& reply)
    : request_(request), reply_(reply), sets_(std::make_unique<Sets>()) {}

MessageReserve::~MessageReserve() = default;

std::unique_ptr<MessageReserve::Set> MessageReserve::Take() {
  {
    base::MutexLock lock(sets_->mutex);
    if (!sets_->free.empty()) {
      std::unique_ptr<Set> set = std::move(sets_->free.back());  // the one that was used last, which is in the cache
      sets_->free.pop_back();
      return set;
    }
  }
  auto set = std::make_unique<Set>();
  set->request = request_.New(&set->arena);
  set->reply = reply_.New(&set->arena);
  return set;
}

void MessageReserve::GiveBack(std::unique_ptr<Set> set, uint64_t bytes) {
  if (bytes > kMaxBytes || set->arena.SpaceAllocated() > kMaxBytes) return;
  set->request->Clear();
  set->reply->Clear();
  base::MutexLock lock(sets_->mutex);
  if (sets_->free.size() < kMaxSets) sets_->free.push_back(std::move(set));
}

}  // namespace pagewire::internal
