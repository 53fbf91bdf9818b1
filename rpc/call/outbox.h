// The writes of a call that have not left yet: when the next one may be made.
#pragma once

#include <pagewire/internal/raw_stream.h>

#include <absl/status/status.h>

#include <cstdint>
#include <deque>

namespace pagewire::call {

// Lives on its call's loop; every function is called there. What it calls may call it again.
class Outbox {
 public:
  // Counts a write, whose `done` runs when so little is left to send that the next one is welcome, maybe inside this
  // call.
  void Add(uint64_t bytes, internal::RawStream::WriteDone done);

  // The same for a write that leaves as pieces, each behind an empty message.
  void AddPieces(uint64_t bytes, internal::RawStream::WriteDone done);

  // So many bytes of writes have left: of one message, payload or piece.
  void OnSent(uint64_t bytes);

  // Nothing will be sent any more: `status` answers all writes, present and future.
  void Fail(absl::Status status);
  bool failed() const { return !failure_.ok(); }

 private:
  void AddWeight(uint64_t weight, internal::RawStream::WriteDone done);
  void Answer();

  uint64_t unsent_ = 0;
  std::deque<internal::RawStream::WriteDone> waiting_;
  absl::Status failure_;
};

}  // namespace pagewire::call
