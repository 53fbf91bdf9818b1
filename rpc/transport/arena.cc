#include "transport/arena.h"

#include <absl/strings/str_cat.h>
#include <netinet/in.h>
#include <pagewire/internal/block_pool.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "base/unique_fd.h"
#include "payload/budget.h"
#include "transport/cpu_timer.h"
#include "transport/page.h"
#include "transport/socket_error.h"

namespace pagewire::transport {
namespace {

// The most addresses that are asked for: what a process of 47 bits of them can spare without noticing.
constexpr uint64_t kMostBytes = uint64_t{1} << 42;

std::atomic<const Arena*> default_arena = nullptr;

absl::Status CannotMap(const char* what, int error) {
  return absl::UnavailableError(
      absl::StrCat("received pages cannot be mapped and are copied: ", what, ": ", ErrnoText(error)));
}

base::UniqueFd TcpSocket() {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() && errno == EAFNOSUPPORT) fd.Reset(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return fd;
}

}  // namespace

ArenaRange::~ArenaRange() { arena_->Release(data_, size_); }

absl::StatusOr<std::shared_ptr<Arena>> Arena::Create(const Options& options) {
  // The kernel checks only that the addresses were mapped from some TCP socket. One that is connected would be kept
  // open by the mapping.
  const base::UniqueFd fd = TcpSocket();
  if (!fd.valid()) return CannotMap("socket", errno);
  void* base = mmap(nullptr, options.bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (base == MAP_FAILED) return CannotMap("mmap of a TCP socket", errno);
  // A child's copy would keep the pages of payloads that the parent has given back.
  madvise(base, options.bytes, MADV_DONTFORK);
  return std::shared_ptr<Arena>(new Arena(static_cast<char*>(base), options));
}

const absl::StatusOr<std::shared_ptr<Arena>>& Arena::Default() {
  static const auto* const arena = new absl::StatusOr<std::shared_ptr<Arena>>([] {
    const uint64_t held = std::min(memory::ProcessBudget().limit(), kMostBytes / 2);
    auto created = Create({.bytes = RoundUpToPage(std::max<uint64_t>(2 * held, 64 << 20))});
    if (created.ok()) default_arena.store(created->get());
    return created;
  }());
  return *arena;
}

const Arena* Arena::DefaultIfMade() { return default_arena.load(); }

Arena::Arena(char* base, const Options& options) : base_(base), options_(options), free_(options.bytes) {
  stats_.reserved = options.bytes;
}

Arena::~Arena() { munmap(base_, options_.bytes); }

std::shared_ptr<const ArenaRange> Arena::TryAllocate(size_t bytes) {
  for (bool last_try = false;; last_try = true) {
    std::vector<Run> released;
    {
      base::MutexLock lock(mutex_);
      if (const std::optional<uint64_t> offset = free_.Take(bytes)) {
        stats_.in_use += bytes;
        stats_.peak = std::max(stats_.peak, stats_.in_use);
        return internal::MakeShared<const ArenaRange>(shared_from_this(), base_ + *offset, bytes);
      }
      if (last_try) return nullptr;
      released = TakeReleased();
    }
    GiveBack(std::move(released));
  }
}

void Arena::Release(char* data, size_t size) {
  std::vector<Run> released;
  {
    base::MutexLock lock(mutex_);
    released_.push_back({static_cast<uint64_t>(data - base_), size});
    stats_.in_use -= size;
    stats_.released += size;
    if (stats_.released < options_.batch_bytes) return;
    released = TakeReleased();
  }
  GiveBack(std::move(released));
}

void Arena::GiveBack() {
  std::vector<Run> released;
  {
    base::MutexLock lock(mutex_);
    released = TakeReleased();
  }
  GiveBack(std::move(released));
}

std::vector<Arena::Run> Arena::TakeReleased() {
  stats_.released = 0;
  return std::exchange(released_, {});
}

void Arena::GiveBack(std::vector<Run> runs) {
  if (runs.empty()) return;
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.offset < b.offset; });
  size_t last = 0;  // neighbours are merged into runs_[0..last]
  for (size_t i = 1; i < runs.size(); ++i) {
    if (runs[last].offset + runs[last].length == runs[i].offset) {
      runs[last].length += runs[i].length;
    } else {
      runs[++last] = runs[i];
    }
  }
  runs.resize(last + 1);
  uint64_t cpu_ns = 0;
  {
    const CpuTimer timer(&cpu_ns);
    for (const Run& run : runs) madvise(base_ + run.offset, run.length, MADV_DONTNEED);
  }
  base::MutexLock lock(mutex_);
  stats_.give_back_ns += cpu_ns;
  stats_.give_back_calls += runs.size();
  for (const Run& run : runs) {
    stats_.given_back += run.length;
    free_.Add(run.offset, run.length);
  }
}

uint64_t Arena::CostOfReturning(uint64_t bytes) const {
  base::MutexLock lock(mutex_);
  if (stats_.given_back == 0) return 0;
  return static_cast<uint64_t>(static_cast<double>(bytes) * stats_.give_back_ns / stats_.given_back);
}

Arena::Stats Arena::stats() const {
  base::MutexLock lock(mutex_);
  return stats_;
}

}  // namespace pagewire::transport
