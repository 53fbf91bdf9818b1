#include "payload/address_range.h"

#include <absl/strings/str_cat.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define PAGEWIRE_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAGEWIRE_ADDRESS_SANITIZER
#endif
#endif

#ifdef PAGEWIRE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace pagewire::memory {
namespace {

// How much is made usable at a time: one system call for 32 slabs. What is usable but untouched costs no memory.
constexpr uint64_t kCommitBytes = 32 * kSlabBytes;

constexpr uint64_t RoundUpToSlab(uint64_t bytes) { return (bytes + kSlabBytes - 1) / kSlabBytes * kSlabBytes; }

}  // namespace

AddressRange::AddressRange(uint64_t bytes, Pages pages) : pages_(pages) {
  // A slab more than asked for, so that the start can be aligned.
  for (uint64_t size = std::max<uint64_t>(bytes / kSlabBytes, 1) * kSlabBytes; size >= kSlabBytes;
       size = size / 2 / kSlabBytes * kSlabBytes) {
    void* mapping = ::mmap(nullptr, size + kSlabBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) continue;
    mapping_ = mapping;
    mapping_bytes_ = size + kSlabBytes;
    const uint64_t start = reinterpret_cast<uintptr_t>(mapping);
    data_ = static_cast<char*>(mapping) + (RoundUpToSlab(start) - start);
    size_ = size;
    return;
  }
}

AddressRange::~AddressRange() {
  if (mapping_ == nullptr) return;
  Unpoison(data_, committed_);  // the addresses may be mapped again by others
  ::munmap(mapping_, mapping_bytes_);
}

absl::Status AddressRange::Commit(uint64_t bytes) {
  if (bytes <= committed_) return absl::OkStatus();
  const uint64_t target = std::min(size_, (bytes + kCommitBytes - 1) / kCommitBytes * kCommitBytes);
  const uint64_t added = target - committed_;
  if (::mprotect(data_ + committed_, added, PROT_READ | PROT_WRITE) != 0) {
    const int error = errno;
    return absl::ResourceExhaustedError(absl::StrCat("the kernel refused ", added,
                                                     " bytes of memory for the pool, which has ", committed_, ": ",
                                                     std::strerror(error),
                                                     "; release payloads, or raise the limit on memory (ulimit -d, "
                                                     "vm.overcommit_memory)"));
  }
  // Without huge pages it only gets slower.
  if (pages_ == Pages::kHuge) ::madvise(data_ + committed_, added, MADV_HUGEPAGE);
  Poison(data_ + committed_, added);
  committed_ = target;
  return absl::OkStatus();
}

void AddressRange::GiveBack(uint64_t offset, uint64_t bytes) { ::madvise(data_ + offset, bytes, MADV_DONTNEED); }

#ifdef PAGEWIRE_ADDRESS_SANITIZER
void Poison(const char* data, size_t bytes) { ASAN_POISON_MEMORY_REGION(data, bytes); }
void Unpoison(const char* data, size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(data, bytes); }
#else
void Poison(const char*, size_t) {}
void Unpoison(const char*, size_t) {}
#endif

}  // namespace pagewire::memory
