// Receive path `copy`: chunks are received into memory.
#pragma once

#include <absl/container/inlined_vector.h>
#include <sys/uio.h>

#include <cstddef>

#include "transport/chunk_target.h"

namespace pagewire::transport {

class CopyTarget final : public ChunkTarget {
 public:
  using Places = absl::InlinedVector<iovec, 4>;

  // Where the next bytes go, in order. The memory stays valid until it is filled or places are set again.
  void SetPlaces(Places places);

  // Bytes that the places still have room for.
  size_t room() const { return room_; }

  Result Receive(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) override;
  void Append(std::string_view bytes) override;

 private:
  void Advance(size_t bytes);

  Places places_;  // what is not filled yet, from first_ on
  size_t first_ = 0;
  size_t room_ = 0;
};

}  // namespace pagewire::transport
