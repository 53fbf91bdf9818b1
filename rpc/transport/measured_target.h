// A receive path whose cost is counted.
#pragma once

#include <cstdint>
#include <string_view>

#include "transport/chunk_target.h"
#include "transport/cpu_timer.h"

namespace pagewire::transport {

class MeasuredTarget final : public ChunkTarget {
 public:
  // Adds CPU time in nanoseconds to `cpu_ns`, which outlives the target.
  explicit MeasuredTarget(uint64_t& cpu_ns) : cpu_ns_(cpu_ns) {}

  // From the next chunk on, bytes go to `inner`.
  void Wrap(ChunkTarget* inner) { inner_ = inner; }

  Result Receive(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) override {
    const CpuTimer timer(&cpu_ns_);
    return inner_->Receive(stream, remaining, behind);
  }
  void Append(std::string_view bytes) override { inner_->Append(bytes); }

 private:
  uint64_t& cpu_ns_;
  ChunkTarget* inner_ = nullptr;
};

}  // namespace pagewire::transport
