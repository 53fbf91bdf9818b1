// Memory for whole payloads, as a program that sends many of them keeps it: used again, the last one first.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace pagewire::bench {

// Blocks of one size. Thread-safe.
class PooledMemory {
 public:
  explicit PooledMemory(size_t bytes) : bytes_(bytes) {}

  size_t bytes() const { return bytes_; }
  char* Take();
  void Give(char* block);

 private:
  const size_t bytes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<char[]>> free_;
};

}  // namespace pagewire::bench
