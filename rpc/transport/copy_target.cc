#include "transport/copy_target.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pagewire::transport {

void CopyTarget::SetPlaces(Places places) {
  places_ = std::move(places);
  first_ = room_ = 0;
  for (const iovec& place : places_) room_ += place.iov_len;
}

ChunkTarget::Result CopyTarget::Receive(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) {
  Result result;
  if (!behind.empty() && room_ == remaining) {
    places_.push_back({behind.data(), behind.size()});
    result.io = stream.Read(absl::MakeConstSpan(places_).subspan(first_));
    places_.pop_back();
  } else {
    result.io = stream.Read(absl::MakeConstSpan(places_).subspan(first_));
  }
  const size_t taken = std::min(result.io.bytes, room_);
  Advance(taken);
  result.behind = result.io.bytes - taken;
  return result;
}

void CopyTarget::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const iovec& place = places_[first_];
    const size_t size = std::min(bytes.size(), place.iov_len);
    std::memcpy(place.iov_base, bytes.data(), size);
    bytes.remove_prefix(size);
    Advance(size);
  }
}

void CopyTarget::Advance(size_t bytes) {
  room_ -= bytes;
  while (bytes > 0) {
    iovec& place = places_[first_];
    const size_t size = std::min(bytes, place.iov_len);
    place.iov_base = static_cast<char*>(place.iov_base) + size;
    place.iov_len -= size;
    bytes -= size;
    if (place.iov_len == 0) ++first_;
  }
}

}  // namespace pagewire::transport
