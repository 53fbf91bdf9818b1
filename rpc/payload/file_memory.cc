#include "payload/file_memory.h"

#include <absl/status/status.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <utility>

#include "payload/page.h"

namespace pagewire::memory {

absl::StatusOr<std::shared_ptr<const FileMemory>> FileMemory::Map(int fd, uint64_t offset, uint64_t length) {
  struct stat info = {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return absl::UnavailableError("not a regular file");
  base::UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own.valid()) return absl::UnavailableError("no descriptor for the file");
  const uint64_t before = offset % kPageBytes;
  void* const base =
      mmap(nullptr, before + length, PROT_READ, MAP_SHARED, own.get(), static_cast<off_t>(offset - before));
  if (base == MAP_FAILED) return absl::UnavailableError("the file cannot be mapped");
  const absl::Span<const char> bytes(static_cast<const char*>(base) + before, length);
  return std::shared_ptr<const FileMemory>(new FileMemory(std::move(own), offset, bytes));
}

void FileMemory::Prefetch(const char* first, size_t size) const {
  posix_fadvise(fd_.get(), static_cast<off_t>(OffsetOf(first)), static_cast<off_t>(size), POSIX_FADV_WILLNEED);
}

FileMemory::~FileMemory() {
  const uint64_t before = offset_ % kPageBytes;
  munmap(const_cast<char*>(bytes_.data() - before), before + bytes_.size());
}

}  // namespace pagewire::memory
