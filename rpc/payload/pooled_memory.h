// A block as the owner of a span.
#pragma once

#include <atomic>
#include <utility>

#include "payload/block.h"
#include "payload/span_owner.h"

namespace pagewire::memory {

class PooledMemory final : public SpanOwner {
 public:
  explicit PooledMemory(Block block) : block_(std::move(block)) {}
  ~PooledMemory() override {
    if (given_up_.load(std::memory_order_relaxed)) block_.DropPages();
  }

  bool lendable() const override { return true; }
  void GiveUpPages() const override { given_up_.store(true, std::memory_order_relaxed); }

 private:
  Block block_;
  mutable std::atomic<bool> given_up_{false};
};

}  // namespace pagewire::memory
