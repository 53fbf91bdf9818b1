// A bounded buffer of bytes.
#pragma once

#include <absl/types/span.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace pagewire::transport {

// Takes its memory once. Not thread-safe.
class ByteRing {
 public:
  explicit ByteRing(size_t capacity) : capacity_(capacity), bytes_(std::make_unique_for_overwrite<char[]>(capacity)) {}

  size_t capacity() const { return capacity_; }
  size_t size() const { return size_; }
  size_t free() const { return capacity_ - size_; }

  void Clear() { size_ = 0; }

  // Copies in what fits; how many bytes that were.
  size_t Write(absl::Span<const iovec> from) {
    size_t written = 0;
    for (const iovec& piece : from) {
      const size_t length = std::min(piece.iov_len, free());
      const size_t begin = (start_ + size_) % capacity_;
      const size_t before_wrap = std::min(length, capacity_ - begin);
      const char* const source = static_cast<const char*>(piece.iov_base);
      Copy(bytes_.get() + begin, source, before_wrap);
      Copy(bytes_.get(), source + before_wrap, length - before_wrap);
      size_ += length;
      written += length;
    }
    return written;
  }

  // Copies out and removes what there is, as far as `into` has room; how many bytes that were.
  size_t Read(absl::Span<const iovec> into) {
    size_t read = 0;
    for (const iovec& piece : into) {
      const size_t length = std::min(piece.iov_len, size_);
      const size_t before_wrap = std::min(length, capacity_ - start_);
      char* const target = static_cast<char*>(piece.iov_base);
      Copy(target, bytes_.get() + start_, before_wrap);
      Copy(target + before_wrap, bytes_.get(), length - before_wrap);
      start_ = (start_ + length) % capacity_;
      size_ -= length;
      read += length;
    }
    return read;
  }

 private:
  // An empty iovec may have a null address, which memcpy must not see, and nothing may be added to.
  static void Copy(char* target, const char* source, size_t length) {
    if (length > 0) std::memcpy(target, source, length);
  }

  const size_t capacity_;
  const std::unique_ptr<char[]> bytes_;
  size_t start_ = 0;
  size_t size_ = 0;
};

}  // namespace pagewire::transport
