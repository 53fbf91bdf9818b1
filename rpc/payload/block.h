// One piece of pooled memory.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace pagewire::memory {

class PoolHeap;

// Owns its memory and gives it back to its pool when destroyed, from any thread; it may outlive the Pool object.
// Move-only. Not zeroed.
class Block {
 public:
  // Empty: data() is null, capacity() is 0.
  Block() = default;
  Block(Block&& other) noexcept
      : heap_(std::move(other.heap_)),
        data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Block& operator=(Block&& other) noexcept {
    if (this != &other) {
      Reset();
      heap_ = std::move(other.heap_);
      data_ = std::exchange(other.data_, nullptr);
      capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { Reset(); }

  // Aligned to 4096 bytes; to 2 MiB if the capacity is 2 MiB or more.
  char* data() const { return data_; }

  // In bytes, a multiple of 4096, at least what was asked for.
  size_t capacity() const { return capacity_; }

  // Lets go of the memory's pages, which stay as they are for whoever else has them (MADV_DONTNEED on private anonymous
  // memory); the addresses get new ones when they are written to.
  void DropPages();

 private:
  friend class Pool;
  Block(std::shared_ptr<PoolHeap> heap, char* data, size_t capacity)
      : heap_(std::move(heap)), data_(data), capacity_(capacity) {}
  void Reset();

  std::shared_ptr<PoolHeap> heap_;
  char* data_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace pagewire::memory
