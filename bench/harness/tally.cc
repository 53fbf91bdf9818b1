#include "harness/tally.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "harness/json_fields.h"

namespace pagewire::bench {
namespace {

// Of what one thread writes at a time.
template <typename Number>
void Increase(std::atomic<Number>& number, Number by) {
  number.store(number.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace

size_t Latencies::BucketOf(uint64_t ns) {
  ns = std::min<uint64_t>(ns, (uint64_t{1} << kMostBits) - 1);
  if (ns < (1 << kFineBits)) return ns;
  const int shift = std::bit_width(ns) - 1 - kFineBits;
  return (static_cast<size_t>(shift + 1) << kFineBits) + ((ns >> shift) & ((1 << kFineBits) - 1));
}

double Latencies::MiddleOf(size_t bucket) {
  if (bucket < (1 << kFineBits)) return static_cast<double>(bucket);
  const int shift = static_cast<int>(bucket >> kFineBits) - 1;
  const uint64_t least = ((uint64_t{1} << kFineBits) | (bucket & ((1 << kFineBits) - 1))) << shift;
  return static_cast<double>(least) + static_cast<double>((uint64_t{1} << shift) - 1) / 2;
}

void Latencies::Add(uint64_t ns) { Increase(buckets_[BucketOf(ns)], 1u); }

void Latencies::Add(const Latencies& others) {
  for (size_t i = 0; i < buckets_.size(); ++i) {
    Increase(buckets_[i], others.buckets_[i].load(std::memory_order_relaxed));
  }
}

void Latencies::Clear() {
  for (std::atomic<uint32_t>& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
}

double Latencies::Microseconds(double part) const {
  uint64_t count = 0;
  for (const std::atomic<uint32_t>& bucket : buckets_) count += bucket.load(std::memory_order_relaxed);
  if (count == 0) return 0;
  const uint64_t rank = std::min(count - 1, static_cast<uint64_t>(part * static_cast<double>(count)));
  uint64_t seen = 0;
  size_t last = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const uint32_t here = buckets_[i].load(std::memory_order_relaxed);
    if (here == 0) continue;
    last = i;
    seen += here;
    if (seen > rank) break;
  }
  return MiddleOf(last) / 1e3;
}

void Recorder::ClearIfOld() {
  const int phase = tally_.phase_.load(std::memory_order_relaxed);
  if (phase_.load(std::memory_order_relaxed) == phase) return;
  latencies_.Clear();
  phase_.store(phase, std::memory_order_relaxed);
}

void Recorder::Ended(Time began, uint64_t bytes) {
  ClearIfOld();
  latencies_.Add(std::chrono::nanoseconds(Now() - began).count());
  Increase(bytes_, bytes);
  Increase(calls_, uint64_t{1});
}

void Recorder::Failed(const std::string& message) {
  if (!tally_.failed_.exchange(true)) std::fprintf(stderr, "%s\n", message.c_str());
}

Recorder& Tally::Add() {
  std::lock_guard lock(mutex_);
  return recorders_.emplace_back(*this);
}

void Tally::Restart() {
  calls_before_ += calls();
  bytes_before_ += bytes();
  ++phase_;
}

uint64_t Tally::calls() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const Recorder& recorder : recorders_) sum += recorder.calls_.load(std::memory_order_relaxed);
  return sum - calls_before_;
}

uint64_t Tally::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const Recorder& recorder : recorders_) sum += recorder.bytes_.load(std::memory_order_relaxed);
  return sum - bytes_before_;
}

std::string Tally::LatencyFields(const std::string& prefix) const {
  Latencies all;
  {
    std::lock_guard lock(mutex_);
    for (const Recorder& recorder : recorders_) {
      if (recorder.phase_ == phase_) all.Add(recorder.latencies_);
    }
  }
  return JsonField(prefix + "p50_us", all.Microseconds(0.5)) + JsonField(prefix + "p99_us", all.Microseconds(0.99)) +
         JsonField(prefix + "p999_us", all.Microseconds(0.999));
}

}  // namespace pagewire::bench
