// Servers of the transfer workloads.
#pragma once

#include <pagewire/pagewire.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "bench.pagewire.h"

namespace pagewire::bench {

struct TransferPaths {
  SendPath send = SendPath::kAuto;
  ReceivePath receive = ReceivePath::kAuto;
};

// Reads every byte, and gives what depends on all of them.
uint64_t ReadAll(const Payload& payload);

// A payload of so many bytes. With `touch` a new one, each of whose bytes is written; else always the same memory.
class PayloadSource {
 public:
  PayloadSource(uint64_t bytes, bool touch);
  Payload Next() const;

 private:
  const uint64_t bytes_;
  const bool touch_;
  Payload same_;
};

// Takes and gives payloads; with `touch` every byte of them is read, or written.
class TransferService final : public Transfer::CallbackService {
 public:
  explicit TransferService(bool touch) : touch_(touch) {}
  void Echo(ServerContext& context, const Load& request, absl::AnyInvocable<void(absl::StatusOr<Load>)> done) override;
  void Put(ServerContext& context, const Load& request, Payload payload,
           absl::AnyInvocable<void(absl::StatusOr<Load>)> done) override;
  void Get(ServerContext& context, const Load& request,
           absl::AnyInvocable<void(absl::StatusOr<WithPayload<Load>>)> done) override;
  void Usage(ServerContext& context, const Load& request,
             absl::AnyInvocable<void(absl::StatusOr<ServerUsage>)> done) override;

 private:
  const PayloadSource& SourceOf(uint64_t bytes);

  const bool touch_;
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
