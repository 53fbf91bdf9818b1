#include "payload/pooled_copy.h"

#include <algorithm>
#include <utility>

#include "payload/page.h"
#include "payload/payload_builder.h"
#include "payload/pool.h"

namespace pagewire::memory {

absl::StatusOr<Payload> PooledCopy(uint64_t size, absl::FunctionRef<absl::Status(absl::Span<char>)> fill) {
  PayloadBuilder builder;
  while (builder.size() < size) {
    const size_t bytes = std::min<uint64_t>(size - builder.size(), kSlabBytes);
    absl::StatusOr<Block> block = Pool::Default().TryAllocate(bytes);
    if (!block.ok()) return std::move(block).status();
    if (absl::Status status = fill(absl::MakeSpan(block->data(), bytes)); !status.ok()) return status;
    builder.Append(*std::move(block), bytes);
  }
  return std::move(builder).Build();
}

}  // namespace pagewire::memory
