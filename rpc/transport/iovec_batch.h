// Cuts a list of spans into what one system call takes.
#pragma once

#include <absl/types/span.h>
#include <sys/uio.h>

#include <array>
#include <climits>
#include <cstddef>

namespace pagewire::transport {

// Walks over `spans`, leaving out empty ones: they mean nothing, and a call that moved no bytes must not look like the
// end of the stream.
class IovecBatch {
 public:
  explicit IovecBatch(absl::Span<const iovec> spans) : spans_(spans) { SkipEmpty(); }

  // No bytes are left.
  bool done() const { return next_ == spans_.size(); }

  // The next batch: up to IOV_MAX spans, none of them empty, valid until the next call.
  absl::Span<iovec> Take() {
    size_t count = 0;
    bytes_ = 0;
    while (!done() && count < batch_.size()) {
      batch_[count++] = spans_[next_];
      bytes_ += spans_[next_].iov_len;
      ++next_;
      SkipEmpty();
    }
    return absl::MakeSpan(batch_).first(count);
  }

  // Of the batch that was taken last.
  size_t bytes() const { return bytes_; }

 private:
  void SkipEmpty() {
    while (next_ < spans_.size() && spans_[next_].iov_len == 0) ++next_;
  }

  const absl::Span<const iovec> spans_;
  size_t next_ = 0;
  size_t bytes_ = 0;
  std::array<iovec, IOV_MAX> batch_;
};

}  // namespace pagewire::transport
