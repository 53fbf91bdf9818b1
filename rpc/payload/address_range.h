// Addresses that are reserved once, made usable from the start upwards, and never unmapped while they are in use.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>

#include "payload/page.h"

namespace pagewire::memory {

// Private anonymous memory. Not thread-safe, except GiveBack and the accessors of what never changes.
//
// Under AddressSanitizer usable memory is poisoned until Unpoison says that it is somebody's.
class AddressRange {
 public:
  enum class Pages {
    kOrdinary,
    kHuge,  // transparent huge pages, where the kernel has them
  };

  // Reserves about `bytes` of addresses, whole slabs, starting at a multiple of 2 MiB. Where the kernel refuses, half
  // of that, and so on; in the end none: size() is then 0.
  AddressRange(uint64_t bytes, Pages pages);
  ~AddressRange();
  AddressRange(const AddressRange&) = delete;
  AddressRange& operator=(const AddressRange&) = delete;

  char* data() const { return data_; }
  uint64_t size() const { return size_; }
  uint64_t committed() const { return committed_; }

  bool Contains(const char* address) const { return address >= data_ && address < data_ + size_; }

  // Makes [0, bytes) usable, and somewhat more to come back less often. `bytes` <= size(). RESOURCE_EXHAUSTED when the
  // kernel refuses.
  absl::Status Commit(uint64_t bytes);

  // The content of the range is lost; its pages are the kernel's until they are touched again. Whole pages.
  void GiveBack(uint64_t offset, uint64_t bytes);

 private:
  char* data_ = nullptr;
  uint64_t size_ = 0;
  uint64_t committed_ = 0;
  const Pages pages_;
  void* mapping_ = nullptr;
  uint64_t mapping_bytes_ = 0;
};

// For AddressSanitizer; nothing without it.
void Poison(const char* data, size_t bytes);
void Unpoison(const char* data, size_t bytes);

}  // namespace pagewire::memory
