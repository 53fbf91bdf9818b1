// What is asked of every program, and what it offers to the measurement.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "harness/tally.h"

namespace pagewire::bench {

struct Options {
  // echo: messages there and back. put, get: payloads one way, to the server or from it. mixed: echo, one at a time,
  // alone and then beside `inflight` puts.
  std::string workload;
  std::string form;  // of the program, which says what it does by it
  uint64_t payload_bytes = 0;
  uint64_t message_bytes = 0;
  int inflight = 1;    // calls at a time
  bool touch = false;  // senders write and receivers read every byte of each payload
  std::chrono::duration<double> duration = std::chrono::seconds(5);
  int pin_cpu = -1;
  bool count_allocations = false;
};

enum class Kind { kEcho, kPut, kGet };

// Calls that are being made; the destructor stops that and waits for the last ones.
class Callers {
 public:
  virtual ~Callers() = default;
};

// The client's side of a program.
class Client {
 public:
  virtual ~Client() = default;
  // Begins to make calls, always `count` at a time, and tells `tally`, which outlives them, of each that has ended.
  virtual std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) = 0;
  // What else this program has to say, as JSON fields, when all callers have stopped.
  virtual std::string Fields() const { return ""; }
};

}  // namespace pagewire::bench
