// The payloads of the transfer workloads: how they are made, and how they are read.
#pragma once

#include <pagewire/payload.h>

#include <cstdint>
#include <vector>

#include "harness/bytes.h"

namespace pagewire::bench {

// What one piece takes where payloads are made piece by piece.
inline constexpr uint64_t kPieceBytes = 256 << 10;

// Payloads of so many bytes. With `touch` new ones, each of whose bytes is written, as `seed` says; else the same
// `count` in turn, as many as are in flight: memory of their own, as different payloads have. Thread-safe.
class PayloadSource {
 public:
  PayloadSource(uint64_t bytes, int count, bool touch);
  Payload Next(uint64_t seed) const;

 private:
  const uint64_t bytes_;
  const bool touch_;
  std::vector<Payload> same_;
};

// Makes a payload of so many bytes from pieces of a source, which outlives it.
class PieceMaker {
 public:
  PieceMaker(const PayloadSource& source, uint64_t bytes, uint64_t seed) : source_(source), seed_(seed), left_(bytes) {}
  // Empty after the last one.
  Payload Next();

 private:
  const PayloadSource& source_;
  const uint64_t seed_;
  uint64_t left_;
};

// Takes a payload that arrives whole or in pieces.
class PayloadTaker {
 public:
  explicit PayloadTaker(bool touch) : touch_(touch) {}
  void Take(const Payload& payload);
  // What has come; 0 if bytes that were to be read are wrong.
  uint64_t bytes() const { return touch_ && !reader_.right() ? 0 : bytes_; }

 private:
  const bool touch_;
  uint64_t bytes_ = 0;
  ByteReader reader_;
};

}  // namespace pagewire::bench
