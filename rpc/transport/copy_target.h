// Receive path `copy`: chunks are received into memory.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <vector>

#include "transport/chunk_target.h"

namespace pagewire::transport {

class CopyTarget final : public ChunkTarget {
 public:
  // Where the next bytes go, in order. The memory stays valid until it is filled or places are set again.
  void SetPlaces(std::vector<iovec> places);

  // Bytes that the places still have room for.
  size_t room() const { return room_; }

  Result Receive(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) override;
  void Append(std::string_view bytes) override;

 private:
  void Advance(size_t bytes);

  std::vector<iovec> places_;  // what is not filled yet, from first_ on
  size_t first_ = 0;
  size_t room_ = 0;
};

}  // namespace pagewire::transport
