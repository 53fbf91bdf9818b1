// Where chunks go that nobody wants any more.
#pragma once

#include <memory>

#include "transport/chunk_target.h"

namespace pagewire::transport {

class DiscardTarget final : public ChunkTarget {
 public:
  Result Receive(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) override;
  void Append(std::string_view) override {}

 private:
  std::unique_ptr<char[]> scratch_;  // overwritten again and again; made at the first use
};

}  // namespace pagewire::transport
