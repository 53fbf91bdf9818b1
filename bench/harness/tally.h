// What callers have done, counted so that counting costs next to nothing: no lock, nothing shared, no allocation per
// call.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace pagewire::bench {

// Nanoseconds in buckets that are 1/256 wide or finer, up to 18 minutes.
class Latencies {
 public:
  void Add(uint64_t ns);
  void Add(const Latencies& others);
  void Clear();
  // Below which `part` of them are, in microseconds; 0 if there are none.
  double Microseconds(double part) const;

 private:
  static constexpr int kFineBits = 8;
  static constexpr int kMostBits = 40;
  static size_t BucketOf(uint64_t ns);
  static double MiddleOf(size_t bucket);

  // One thread writes at a time; another may read meanwhile.
  std::array<std::atomic<uint32_t>, (kMostBits - kFineBits + 1) << kFineBits> buckets_ = {};
};

class Tally;

// Of one caller: calls of it end one after the other, on whichever thread.
class Recorder {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static Time Now() { return std::chrono::steady_clock::now(); }

  explicit Recorder(Tally& tally) : tally_(tally) {}

  // A call that began then has ended well, and so many bytes of payload have arrived by it.
  void Ended(Time began, uint64_t bytes);
  // A call has failed, which spoils the measurement. The first message is printed.
  void Failed(const std::string& message);

 private:
  friend class Tally;
  void ClearIfOld();

  Tally& tally_;
  std::atomic<uint64_t> calls_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<int> phase_ = 0;  // in which the latencies were
  Latencies latencies_;
};

class Tally {
 public:
  // For one caller; lives as long as the tally.
  Recorder& Add();

  // What was is forgotten.
  void Restart();

  uint64_t calls() const;
  uint64_t bytes() const;
  bool failed() const { return failed_; }

  // , "p50_us": ..., "p99_us": ..., "p999_us": ... with the prefix before each name.
  std::string LatencyFields(const std::string& prefix) const;

 private:
  friend class Recorder;

  mutable std::mutex mutex_;  // of the list, which grows when callers are made
  std::deque<Recorder> recorders_;
  std::atomic<int> phase_ = 0;
  std::atomic<bool> failed_ = false;
  uint64_t calls_before_ = 0;
  uint64_t bytes_before_ = 0;
};

}  // namespace pagewire::bench
