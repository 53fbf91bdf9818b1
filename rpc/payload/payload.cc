#include <pagewire/internal/block_pool.h>
#include <pagewire/payload.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/die.h"
#include "base/string_view.h"
#include "payload/external_memory.h"
#include "payload/payload_rep.h"
#include "payload/pooled_copy.h"
#include "payload/span_owner.h"

namespace pagewire {
namespace {

class CordMemory final : public memory::SpanOwner {
 public:
  explicit CordMemory(absl::Cord cord) : cord_(std::move(cord)) {}
  const absl::Cord& cord() const { return cord_; }

 private:
  const absl::Cord cord_;
};

}  // namespace

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
    const size_t bytes = std::min(span.size(), out.size());
    if (bytes == 0) return;
    std::memcpy(out.data(), span.data(), bytes);
    out.remove_prefix(bytes);
  }
}

Payload Payload::Slice(uint64_t offset, uint64_t length) const {
  offset = std::min(offset, size());
  length = std::min(length, size() - offset);
  if (length == size()) return *this;
  auto slice = internal::MakeShared<internal::PayloadRep>();
  for (size_t i = 0; length > 0; ++i) {
    const absl::Span<const char> span = spans()[i];
    if (offset >= span.size()) {
      offset -= span.size();
      continue;
    }
    const absl::Span<const char> part = span.subspan(offset, std::min<uint64_t>(length, span.size()));
    slice->Append(part, rep_->owner(i));
    offset = 0;
    length -= part.size();
  }
  return internal::PayloadAccess::Make(std::move(slice));
}

absl::Cord Payload::ToCord() const {
  absl::Cord cord;
  for (size_t i = 0; i < spans().size(); ++i) {
    const absl::Span<const char> span = spans()[i];
    cord.Append(absl::MakeCordFromExternal(absl::string_view(span.data(), span.size()), [owner = rep_->owner(i)] {}));
  }
  return cord;
}

Payload Payload::Detach() const {
  // Where the next bytes come from.
  size_t index = 0;
  absl::Span<const char> rest;
  absl::StatusOr<Payload> copy = memory::PooledCopy(size(), [&](absl::Span<char> out) {
    while (!out.empty()) {
      if (rest.empty()) rest = spans()[index++];
      const size_t bytes = std::min(rest.size(), out.size());
      std::memcpy(out.data(), rest.data(), bytes);
      out.remove_prefix(bytes);
      rest.remove_prefix(bytes);
    }
    return absl::OkStatus();
  });
  if (!copy.ok()) base::Die(base::ToStd(copy.status().message()));
  return *std::move(copy);
}

Payload Payload::FromExternal(const void* data, size_t size, absl::AnyInvocable<void()> release) {
  auto owner = internal::MakeShared<const memory::ExternalMemory>(std::move(release));
  auto rep = internal::MakeShared<internal::PayloadRep>();
  rep->Append(absl::MakeConstSpan(static_cast<const char*>(data), size), std::move(owner));
  return internal::PayloadAccess::Make(std::move(rep));
}

Payload Payload::Concat(absl::Span<const Payload> parts) {
  auto rep = internal::MakeShared<internal::PayloadRep>();
  for (const Payload& part : parts) {
    for (size_t i = 0; i < part.spans().size(); ++i) rep->Append(part.spans()[i], part.rep_->owner(i));
  }
  return internal::PayloadAccess::Make(std::move(rep));
}

Payload Payload::FromCord(absl::Cord cord) {
  // Short cords keep their bytes inside, so the chunks are taken where the cord will stay.
  const auto owner = internal::MakeShared<const CordMemory>(std::move(cord));
  auto rep = internal::MakeShared<internal::PayloadRep>();
  for (absl::string_view chunk : owner->cord().Chunks())
    rep->Append(absl::MakeConstSpan(chunk.data(), chunk.size()), owner);
  return internal::PayloadAccess::Make(std::move(rep));
}

}  // namespace pagewire
