#include "payload/file_ring.h"

#include <liburing.h>

#include <absl/strings/str_cat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "payload/file_error.h"

namespace pagewire::memory {
namespace {

constexpr unsigned kDepth = 8;

// Segments have places, which the kernel's answers name.
class Ring {
 public:
  explicit Ring(int fd) : fd_(fd) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (made_) io_uring_queue_exit(&ring_);
  }

  absl::Status Make() {
    const int error = -io_uring_queue_init(kDepth, &ring_, 0);
    if (error != 0) {
      return absl::UnimplementedError(
          absl::StrCat("io_uring is not available to this process (", std::strerror(error), "); write without it"));
    }
    made_ = true;
    return absl::OkStatus();
  }

  // After the first error nothing new is begun; what is under way is waited for, because the kernel reads its memory.
  absl::Status Write(FileSegments& segments) {
    absl::Status status;
    for (;;) {
      for (size_t place = 0; place < kDepth && status.ok() && !segments.done(); ++place) {
        if (busy_[place]) continue;
        absl::StatusOr<FileSegment> next = segments.Next();
        if (!next.ok()) {
          status = std::move(next).status();
          break;
        }
        places_[place] = *std::move(next);
        Submit(place);
      }
      if (under_way_ == 0) return status;
      absl::Status ended = AwaitOne(status.ok());
      if (status.ok()) status = std::move(ended);
    }
  }

 private:
  void Submit(size_t place) {
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);  // never null: there are as many entries as places
    const FileSegment& segment = places_[place];
    io_uring_prep_writev(entry, fd_, segment.iovecs.data(), static_cast<unsigned>(segment.iovecs.size()),
                         segment.offset);
    io_uring_sqe_set_data64(entry, place);
    busy_[place] = true;
    ++under_way_;
  }

  // `go_on`: a write that was cut short is taken up again.
  absl::Status AwaitOne(bool go_on) {
    io_uring_cqe* answer = nullptr;
    for (;;) {
      int result = io_uring_submit_and_wait(&ring_, 1);
      if (result >= 0) result = io_uring_peek_cqe(&ring_, &answer);
      if (result >= 0) break;
      if (result == -EINTR || result == -EAGAIN || result == -EBUSY) continue;
      // The ring itself is broken; closing it ends what is under way.
      under_way_ = 0;
      return FileError(-result, "write", 0);
    }
    const size_t place = io_uring_cqe_get_data64(answer);
    const int result = answer->res;
    io_uring_cqe_seen(&ring_, answer);
    busy_[place] = false;
    --under_way_;
    FileSegment& segment = places_[place];
    if (result == -EINTR || result == -EAGAIN) {
      if (go_on) Submit(place);
      return absl::OkStatus();
    }
    if (result < 0) return FileError(-result, "write", segment.offset);
    if (result == 0) return FileError(ENOSPC, "write", segment.offset);
    segment.Advance(static_cast<uint64_t>(result));
    if (segment.bytes > 0 && go_on) {
      Submit(place);
    } else {
      segment = FileSegment();
    }
    return absl::OkStatus();
  }

  const int fd_;
  io_uring ring_ = {};
  bool made_ = false;
  std::array<FileSegment, kDepth> places_;
  std::array<bool, kDepth> busy_ = {};
  size_t under_way_ = 0;
};

}  // namespace

absl::Status WriteWithRing(FileSegments& segments, int fd) {
  Ring ring(fd);
  if (absl::Status status = ring.Make(); !status.ok()) return status;
  return ring.Write(segments);
}

}  // namespace pagewire::memory
