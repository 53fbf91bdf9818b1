// Servers of the transfer workloads.
#pragma once

#include <pagewire/pagewire.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "bench.pagewire.h"
#include "payload_source.h"
#include "transfer.h"

namespace pagewire::bench {

// Takes and gives payloads; with `touch` every byte of them is read, or written. In the form of the options.
std::unique_ptr<Service> MakeTransferService(const TransferOptions& options);

// What the forms have in common. Thread-safe.
class ServedPayloads {
 public:
  explicit ServedPayloads(const TransferOptions& options)
      : touch_(options.touch), inflight_(options.inflight), pieces_(kPieceBytes, 1, options.touch) {}

  bool touch() const { return touch_; }
  Payload Whole(uint64_t bytes);
  PieceMaker Pieces(uint64_t bytes) { return PieceMaker(pieces_, bytes, seed_++); }
  // How much of it arrived, and was right.
  uint64_t Take(const Payload& payload) const;

 private:
  const bool touch_;
  const int inflight_;
  const PayloadSource pieces_;
  std::atomic<uint64_t> seed_ = 0;
  base::Mutex mutex_;
  std::map<uint64_t, PayloadSource> sources_ ABSL_GUARDED_BY(mutex_);  // by size
};

// Passes what is put on to all targets, without looking at it, and answers when all have it.
class RelayService final : public Transfer::CallbackService {
 public:
  RelayService(const std::vector<std::string>& targets, const TransferPaths& paths, bool on_loops);
  void Put(ServerContext& context, const Load& request, Payload payload,
           absl::AnyInvocable<void(absl::StatusOr<Load>)> done) override;

 private:
  std::vector<std::unique_ptr<Transfer::Stub>> stubs_;
};

}  // namespace pagewire::bench
