#include <pagewire/internal/block_pool.h>
#include <pagewire/payload_buffer.h>

#include <utility>

#include "base/die.h"
#include "base/string_view.h"
#include "payload/payload_rep.h"
#include "payload/pool.h"
#include "payload/pooled_memory.h"

namespace pagewire {

PayloadBuffer::PayloadBuffer(std::shared_ptr<const void> memory, char* data, size_t size)
    : memory_(std::move(memory)), data_(data), size_(size) {}

PayloadBuffer::PayloadBuffer(PayloadBuffer&& other) noexcept
    : memory_(std::move(other.memory_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

PayloadBuffer& PayloadBuffer::operator=(PayloadBuffer&& other) noexcept {
  if (this != &other) {
    memory_ = std::move(other.memory_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

PayloadBuffer::~PayloadBuffer() = default;

absl::StatusOr<PayloadBuffer> PayloadBuffer::TryAllocate(size_t size) {
  absl::StatusOr<memory::Block> block = memory::Pool::Default().TryAllocate(size);
  if (!block.ok()) return std::move(block).status();
  char* const data = block->data();
  return PayloadBuffer(internal::MakeShared<const memory::PooledMemory>(*std::move(block)), data, size);
}

PayloadBuffer PayloadBuffer::Allocate(size_t size) {
  absl::StatusOr<PayloadBuffer> buffer = TryAllocate(size);
  if (!buffer.ok()) base::Die(base::ToStd(buffer.status().message()));
  return *std::move(buffer);
}

Payload PayloadBuffer::Freeze() && {
  auto rep = internal::MakeShared<internal::PayloadRep>();
  rep->Append(absl::MakeConstSpan(std::exchange(data_, nullptr), std::exchange(size_, 0)),
              std::static_pointer_cast<const memory::PooledMemory>(std::exchange(memory_, nullptr)));
  return internal::PayloadAccess::Make(std::move(rep));
}

}  // namespace pagewire
