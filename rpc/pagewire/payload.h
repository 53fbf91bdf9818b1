// Bulk bytes, beside the messages of a call.
#pragma once

#include <sys/uio.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>
#include <absl/strings/cord.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace pagewire {

namespace internal {
class PayloadRep;
struct PayloadAccess;
}  // namespace internal

// Immutable, reference-counted handle to bulk bytes that lie in one or more spans of memory. Copying and slicing cost a
// reference count, never a copy of bytes.
//
// Threads: distinct handles may be used from any threads at once, whatever they share; one handle like any value type:
// read by many or changed by one.
// Lifetime: outlives the connection, the channel and the server it came from. The bytes stay as long as a handle to
// them does; memory goes back piece by piece, as soon as no handle covers a piece any more. Not valid in a forked
// child.
// Held budget: a received payload is charged to the budget while it is held (pagewire/held_budget.h).
class Payload {
 public:
  // Empty: size() is 0.
  Payload() = default;

  // In bytes.
  uint64_t size() const;

  // The bytes in order; no span is empty. The view and the memory are valid while this handle, unchanged, exists.
  absl::Span<const absl::Span<const char>> spans() const;

  // The same for writev and its like. The memory must not be written to, although iovec has no const.
  std::vector<iovec> ToIovecs() const;

  // Copies the bytes to the start of `out`, which should hold at least size() bytes; what lies beyond them is
  // untouched. If `out` is smaller, it gets the first out.size() bytes.
  void CopyTo(absl::Span<char> out) const;

  // The bytes [offset, offset + length), clamped to the payload: any arguments are valid, and what lies outside is
  // left out. Keeps only the memory of the spans it touches, but each of those whole: a slice of one byte keeps
  // (and, if received, is charged for) its block, which can be 1 MiB. Detach() such a slice to keep it long.
  Payload Slice(uint64_t offset, uint64_t length) const;

  // The same bytes as a cord, not copied; the cord keeps the memory.
  absl::Cord ToCord() const;

  // A copy of the bytes in pooled memory, charged to no budget, that keeps nothing of the original. Ends the process
  // with a message when there is no memory, as PayloadBuffer::Allocate does.
  Payload Detach() const;

  // `size` bytes at `data`, any address and alignment, not copied. They must stay unchanged until `release` runs: once,
  // on DefaultExecutor(), when the last handle is gone and the bytes are needed for no transfer any more; also for
  // size 0. `release` may be null for memory that is never released.
  static Payload FromExternal(const void* data, size_t size, absl::AnyInvocable<void()> release);

  // The bytes [offset, offset + length) of a file that can be read at an offset. `fd` is not owned and may be closed
  // when this returns; its position does not move. Up to 64 KiB, and of other than regular files, the bytes are read at
  // once; else when they are looked at or sent, so the file must not change while the payload is in use. If it is cut
  // short, a payload on its way ends with DATA_LOSS at its receiver; but reading spans() beyond the file's end raises
  // SIGBUS, as with every mapped file.
  //
  // Sent over send path `file` (sendfile, on request: ChannelOptions::send_path) the bytes go by reference, and the
  // peer may see what is written to the file until it has released the payload. Over the others they are read when
  // their turn comes.
  //
  // OUT_OF_RANGE: the file ends before the range does; RESOURCE_EXHAUSTED: no memory for the range; otherwise what the
  // kernel said, translated by absl::ErrnoToStatus: INVALID_ARGUMENT for a pipe or socket, FAILED_PRECONDITION for a
  // directory or a bad descriptor, UNKNOWN for an I/O error.
  static absl::StatusOr<Payload> FromFile(int fd, uint64_t offset, uint64_t length);

  // The bytes of all parts, one after the other, not copied; it keeps the memory of each.
  static Payload Concat(absl::Span<const Payload> parts);

  // The cord's bytes, not copied; the payload keeps the cord.
  static Payload FromCord(absl::Cord cord);

 private:
  friend struct internal::PayloadAccess;
  explicit Payload(std::shared_ptr<const internal::PayloadRep> rep) : rep_(std::move(rep)) {}

  std::shared_ptr<const internal::PayloadRep> rep_;  // null when empty
};

}  // namespace pagewire
