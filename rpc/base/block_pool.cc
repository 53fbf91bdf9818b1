#include <pagewire/internal/block_pool.h>

#include <array>
#include <cstdint>

#include "base/mutex.h"

// Whether blocks are kept at all.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PAGEWIRE_KEEPS_BLOCKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PAGEWIRE_KEEPS_BLOCKS 0
#else
#define PAGEWIRE_KEEPS_BLOCKS 1
#endif
#else
#define PAGEWIRE_KEEPS_BLOCKS 1
#endif

namespace pagewire::internal {
namespace {

constexpr size_t kStep = 64;
constexpr size_t kLargest = 1024;
constexpr size_t kSizes = kLargest / kStep;

// What moves between a thread and the others at once. With two bundles a thread neither gives nor takes while it has
// between none and two, whichever way it goes.
constexpr size_t kBundleBytes = 16 << 10;
constexpr size_t kSharedBundles = 16;

struct Block {
  Block* next;
};

constexpr size_t BytesOf(size_t size) { return (size + 1) * kStep; }
constexpr uint32_t BundleOf(size_t size) { return kBundleBytes / BytesOf(size); }

void FreeAll(Block* blocks) {
  while (blocks != nullptr) operator delete(std::exchange(blocks, blocks->next));
}

// Bundles of one size, for all threads.
class Shared {
 public:
  // Null: there is none.
  Block* Take() {
    base::MutexLock lock(mutex_);
    return count_ == 0 ? nullptr : bundles_[--count_];
  }

  void Give(Block* bundle) {
    {
      base::MutexLock lock(mutex_);
      if (count_ < kSharedBundles) {
        bundles_[count_++] = bundle;
        return;
      }
    }
    FreeAll(bundle);
  }

 private:
  base::Mutex mutex_;
  std::array<Block*, kSharedBundles> bundles_ ABSL_GUARDED_BY(mutex_) = {};
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

Shared& SharedOf(size_t size) {
  static auto& shared = *new std::array<Shared, kSizes>;  // never destroyed: threads may outlive main
  return shared[size];
}

// One thread's. Without a destructor, so that it can be used until the thread's very end.
struct Kept {
  enum class State : uint8_t {
    kNew,
    kOpen,    // the guard is due
    kClosed,  // the thread is ending: nothing is kept any more
  };
  struct OfSize {
    Block* first = nullptr;
    uint32_t count = 0;
  };
  std::array<OfSize, kSizes> sizes;
  State state = State::kNew;
};
constinit thread_local Kept kept;

// Frees what the thread has kept.
struct Guard {
  Guard() { kept.state = Kept::State::kOpen; }
  ~Guard() {
    kept.state = Kept::State::kClosed;
    for (Kept::OfSize& of_size : kept.sizes) FreeAll(std::exchange(of_size, {}).first);
  }
};

[[gnu::noinline]] bool Open() {
  if (kept.state == Kept::State::kClosed) return false;
  static thread_local const Guard guard;
  return true;
}

bool IsOpen() { return kept.state == Kept::State::kOpen || Open(); }

[[gnu::noinline]] void* TakeFromOthers(size_t size) {
  Block* const bundle = IsOpen() ? SharedOf(size).Take() : nullptr;
  if (bundle == nullptr) return operator new(BytesOf(size));
  kept.sizes[size] = {bundle->next, BundleOf(size) - 1};
  return bundle;
}

// Leaves the thread with one bundle.
[[gnu::noinline]] void GiveToOthers(size_t size) {
  Kept::OfSize& own = kept.sizes[size];
  Block* const bundle = own.first;
  Block* last = bundle;
  for (uint32_t i = 1; i < BundleOf(size); ++i) last = last->next;
  own.first = std::exchange(last->next, nullptr);
  own.count -= BundleOf(size);
  SharedOf(size).Give(bundle);
}

}  // namespace

void* TakeBlock(size_t bytes) {
  if (!PAGEWIRE_KEEPS_BLOCKS || bytes - 1 >= kLargest) return operator new(bytes);
  const size_t size = (bytes - 1) / kStep;
  Kept::OfSize& own = kept.sizes[size];
  Block* const block = own.first;
  if (block == nullptr) return TakeFromOthers(size);
  own.first = block->next;
  --own.count;
  return block;
}

void GiveBlock(void* memory, size_t bytes) noexcept {
  if (!PAGEWIRE_KEEPS_BLOCKS || bytes - 1 >= kLargest || !IsOpen()) return operator delete(memory);
  const size_t size = (bytes - 1) / kStep;
  Kept::OfSize& own = kept.sizes[size];
  own.first = new (memory) Block{own.first};
  if (++own.count == 2 * BundleOf(size)) GiveToOthers(size);
}

}  // namespace pagewire::internal
