// The client's side of the transfer workloads, in each form.
#pragma once

#include <pagewire/pagewire.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "bench.pagewire.h"
#include "harness/load.h"
#include "payload_source.h"
#include "transfer.h"

namespace pagewire::bench {

// What the reports of all transfers say together.
class SeenPaths {
 public:
  void Add(const TransferReport& report, uint64_t bytes);
  std::string Fields() const;

 private:
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<uint64_t> mapped_ = 0;
  std::atomic<bool> known_ = false;
  mutable base::Mutex mutex_;
  std::string paths_ ABSL_GUARDED_BY(mutex_);  // of the first
};

// What every caller needs to know; outlives them.
struct Calling {
  Transfer::Stub& stub;
  Kind kind;
  const TransferOptions& options;
  SeenPaths& seen;
};

// What a caller does before and after each of its calls, whatever the form.
class CallLog {
 public:
  CallLog(const Calling& calling, Tally& tally);

  const Load& request() const { return request_; }
  const PayloadSource& source() const { return source_; }
  bool touch() const { return calling_.options.touch; }

  // A call begins, which is the so-and-so-many-th.
  uint64_t Begin();
  // It has ended, and so many bytes have arrived. False: it was not well, and the caller must not go on.
  bool End(const absl::Status& status, uint64_t bytes, const ClientContext& context);

 private:
  const Calling& calling_;
  Recorder& recorder_;
  Load request_;
  const PayloadSource source_;
  uint64_t begun_ = 0;
  Recorder::Time began_;
};

std::unique_ptr<Callers> StartBlocking(const Calling& calling, int count, Tally& tally);
std::unique_ptr<Callers> StartCallbacks(const Calling& calling, int count, Tally& tally);
std::unique_ptr<Callers> StartCoroutines(const Calling& calling, int count, Tally& tally);

}  // namespace pagewire::bench
