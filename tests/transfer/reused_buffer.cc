#include "transfer/reused_buffer.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/die.h"
#include "base/unique_fd.h"
#include "payload/external_memory.h"
#include "payload/payload_rep.h"

namespace pagewire::transfer {
namespace {

[[noreturn]] void DieOf(const char* what) {
  base::Die(absl::StrCat("cannot ", what, " the file of a buffer: ", absl::ErrnoToStatus(errno, "").ToString()));
}

class MemoryBuffer final : public ReusedBuffer {
 public:
  explicit MemoryBuffer(size_t size)
      : data_(static_cast<char*>(std::aligned_alloc(4096, size)), std::free), size_(size) {}

  absl::Span<char> bytes() const override { return absl::MakeSpan(data_.get(), size_); }
  Payload Lend(uint64_t offset, uint64_t size, absl::AnyInvocable<void()> release) override {
    return Payload::FromExternal(data_.get() + offset, size, std::move(release));
  }
  bool LeavePages() override { return false; }

 private:
  const std::unique_ptr<char, void (*)(void*)> data_;
  const size_t size_;
};

// A span of a file, as the library makes it, that tells when it is not needed any more.
class LentSpan final : public memory::SpanOwner {
 public:
  LentSpan(std::shared_ptr<const memory::SpanOwner> span, std::shared_ptr<const memory::ExternalMemory> lent)
      : lent_(std::move(lent)), span_(std::move(span)) {}
  const memory::FileMemory* file() const override { return span_->file(); }

 private:
  const std::shared_ptr<const memory::ExternalMemory> lent_;  // told after span_ has gone
  const std::shared_ptr<const memory::SpanOwner> span_;
};

class FileBuffer final : public ReusedBuffer {
 public:
  explicit FileBuffer(size_t size) : file_(memfd_create("buffer", MFD_CLOEXEC)) {
    if (!file_.valid() || ftruncate(file_.get(), static_cast<off_t>(size)) != 0) DieOf("make");
    void* const data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (data == MAP_FAILED) DieOf("map");
    bytes_ = absl::MakeSpan(static_cast<char*>(data), size);
  }
  ~FileBuffer() override { munmap(bytes_.data(), bytes_.size()); }

  absl::Span<char> bytes() const override { return bytes_; }

  Payload Lend(uint64_t offset, uint64_t size, absl::AnyInvocable<void()> release) override {
    const absl::StatusOr<Payload> range = Payload::FromFile(file_.get(), offset, size);
    if (!range.ok()) base::Die(range.status().ToString());
    const internal::PayloadRep& spans = *internal::PayloadAccess::Rep(*range);
    const auto lent = std::make_shared<memory::ExternalMemory>(std::move(release));
    auto rep = std::make_shared<internal::PayloadRep>();
    for (size_t i = 0; i < spans.spans().size(); ++i) {
      rep->Append(spans.spans()[i], std::make_shared<LentSpan>(spans.owner(i), lent));
    }
    return internal::PayloadAccess::Make(std::move(rep));
  }

  bool LeavePages() override {
    const int how = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    if (fallocate(file_.get(), how, 0, static_cast<off_t>(bytes_.size())) != 0) DieOf("punch a hole into");
    return true;
  }

 private:
  const base::UniqueFd file_;
  absl::Span<char> bytes_;
};

}  // namespace

std::unique_ptr<ReusedBuffer> ReusedBuffer::InMemory(size_t size) { return std::make_unique<MemoryBuffer>(size); }
std::unique_ptr<ReusedBuffer> ReusedBuffer::InFile(size_t size) { return std::make_unique<FileBuffer>(size); }

}  // namespace pagewire::transfer
