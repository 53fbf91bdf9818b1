#include <pagewire/executor.h>
#include <pagewire/payload.h>
#include <pagewire/payload_buffer.h>
#include <unistd.h>

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "payload/payload_rep.h"

namespace pagewire {
namespace {

using internal::PayloadAccess;
using internal::PayloadRep;

// Runs a release on the executor when the last reference goes, wherever that is.
class External {
 public:
  explicit External(absl::AnyInvocable<void()> release) : release_(std::move(release)) {}
  External(const External&) = delete;
  External& operator=(const External&) = delete;
  ~External() {
    if (release_) DefaultExecutor().Run(std::move(release_));
  }

 private:
  absl::AnyInvocable<void()> release_;
};

absl::Status ReadFile(int fd, uint64_t offset, absl::Span<char> out) {
  const uint64_t length = out.size();
  while (!out.empty()) {
    const ssize_t got = pread(fd, out.data(), out.size(), static_cast<off_t>(offset + (length - out.size())));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("reading ", length, " bytes at ", offset));
    if (got == 0) {
      return absl::OutOfRangeError(absl::StrCat("the file ends ", out.size(), " bytes before the end of the ", length,
                                                " bytes asked for at ", offset));
    }
    out.remove_prefix(got);
  }
  return absl::OkStatus();
}

}  // namespace

Payload Payload::FromExternal(const void* data, size_t size, absl::AnyInvocable<void()> release) {
  PayloadRep rep;
  rep.Append({static_cast<const char*>(data), size}, std::make_shared<External>(std::move(release)));  // size 0: released now
  return PayloadAccess::Make(std::move(rep));
}

Payload Payload::FromCord(absl::Cord cord) {
  const auto owner = std::make_shared<const absl::Cord>(std::move(cord));
  PayloadRep rep;
  for (absl::string_view chunk : owner->Chunks()) rep.Append({chunk.data(), chunk.size()}, owner);
  return PayloadAccess::Make(std::move(rep));
}

absl::StatusOr<Payload> Payload::FromFile(int fd, uint64_t offset, uint64_t length) {
  constexpr uint64_t kLastOffset = static_cast<uint64_t>(std::numeric_limits<off_t>::max());
  if (offset > kLastOffset || length > kLastOffset - offset) {
    return absl::OutOfRangeError(absl::StrCat("no file has ", length, " bytes at ", offset));
  }
  absl::StatusOr<PayloadBuffer> buffer = PayloadBuffer::TryAllocate(length);
  if (!buffer.ok()) return std::move(buffer).status();
  if (absl::Status status = ReadFile(fd, offset, {buffer->data(), length}); !status.ok()) return status;
  return (*std::move(buffer)).Freeze();
}

uint64_t Payload::size() const { return rep_ == nullptr ? 0 : rep_->size(); }

absl::Span<const absl::Span<const char>> Payload::spans() const {
  if (rep_ == nullptr) return {};
  return rep_->spans();
}

std::vector<iovec> Payload::ToIovecs() const {
  std::vector<iovec> iovecs;
  iovecs.reserve(spans().size());
  for (absl::Span<const char> span : spans()) iovecs.push_back({const_cast<char*>(span.data()), span.size()});
  return iovecs;
}

void Payload::CopyTo(absl::Span<char> out) const {
  for (absl::Span<const char> span : spans()) {
    const size_t size = std::min(span.size(), out.size());
    if (size == 0) return;
    std::memcpy(out.data(), span.data(), size);
    out.remove_prefix(size);
  }
}

Payload Payload::Slice(uint64_t offset, uint64_t length) const {
  if (offset >= size() || length == 0) return Payload();
  length = std::min(length, size() - offset);
  if (length == size()) return *this;
  PayloadRep slice;
  for (size_t i = 0; i < rep_->spans().size() && length > 0; ++i) {
    const absl::Span<const char> span = rep_->spans()[i];
    if (offset >= span.size()) {
      offset -= span.size();
      continue;
    }
    const size_t size = std::min<uint64_t>(length, span.size() - offset);
    slice.Append(span.subspan(offset, size), rep_->owner(i));
    offset = 0;
    length -= size;
  }
  return PayloadAccess::Make(std::move(slice));
}

absl::Cord Payload::ToCord() const {
  absl::Cord cord;
  for (size_t i = 0; i < spans().size(); ++i) {
    const absl::Span<const char> span = rep_->spans()[i];
    cord.Append(absl::MakeCordFromExternal({span.data(), span.size()}, [owner = rep_->owner(i)] {}));
  }
  return cord;
}

Payload Payload::Detach() const {
  PayloadBuffer buffer = PayloadBuffer::Allocate(size());
  CopyTo({buffer.data(), buffer.size()});
  return std::move(buffer).Freeze();
}

}  // namespace pagewire
