// A stream that misbehaves within its contract, for tests: the faults of a network, repeatable from one seed.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "transport/byte_stream.h"
#include "transport/loop.h"
#include "transport/readiness.h"

namespace pagewire::transport {

// Probabilities are per call, from 0 to 1.
struct FaultPlan {
  uint64_t seed = 1;

  // A Read gets from 1 byte up to what it asked for; a Map gets fewer pages, or is told to Read a byte first.
  double short_read = 0;
  double short_write = 0;  // a write of any kind takes from 1 byte up to what it was given

  // Any of these says kBlocked although it could go on. The notification comes after a delay (below).
  double blocked = 0;

  // How late the notifications of injected kBlocked results come: 0 up to this, by a timer of the loop.
  absl::Duration longest_delay = absl::Milliseconds(1);

  // The stream is aborted once this many bytes were read and written through it, together; later calls fail with
  // UNAVAILABLE.
  uint64_t reset_after_bytes = std::numeric_limits<uint64_t>::max();

  // For messages: "faults(seed=7, short_read=0.5, ...)".
  std::string ToString() const;
};

// The same calls and the same answers from `inner` give the same faults.
class FaultStream final : public ByteStream, private ByteStream::Observer {
 public:
  // `inner` has not been started and lives on `loop`.
  FaultStream(std::unique_ptr<ByteStream> inner, Loop& loop, FaultPlan plan);
  ~FaultStream() override;

  void Start(ByteStream::Observer* observer) override;
  void Detach() override { readiness_.Start(nullptr); }
  IoResult Read(absl::Span<const iovec> into) override;
  IoResult Write(absl::Span<const iovec> from, WriteOptions options) override;
  PagePaths page_paths() const override { return inner_->page_paths(); }
  IoResult WriteZerocopy(absl::Span<const iovec> from, WriteOptions options, uint64_t tag) override;
  IoResult WriteSpliced(absl::Span<const iovec> from) override;
  IoResult WriteFile(int file, uint64_t offset, size_t length) override;
  void TakeReleased(std::vector<Released>& released) override { inner_->TakeReleased(released); }
  size_t unreleased() const override { return inner_->unreleased(); }
  MapResult Map(const MapRequest& request) override;
  bool SetReadThreshold(size_t bytes) override { return inner_->SetReadThreshold(bytes); }
  void CloseWrite() override { inner_->CloseWrite(); }
  void Abort() override { inner_->Abort(); }
  bool SendQueueEmpty() override { return reset_.ok() && inner_->SendQueueEmpty(); }
  const std::string& peer() const override { return peer_; }  // the inner one's, then the plan
  bool same_host() const override { return inner_->same_host(); }
  PeerIdentity identity() const override { return inner_->identity(); }

  // None: who reads from or writes to the socket directly would pass the faults by.
  int fd() const override { return -1; }

 private:
  void OnReadable() override { readiness_.CallNow(true, false); }
  void OnWritable() override { readiness_.CallNow(false, true); }

  // Whether the direction whose timer this is stands still, or does so from now on.
  bool Delayed(Loop::TimerId& delay, bool readable);

  template <typename WriteSome>
  IoResult WriteWith(absl::Span<const iovec> from, WriteOptions options, WriteSome write);
  bool Happens(double probability);
  size_t ShortLength(size_t whole);
  IoResult Count(IoResult result);
  void CountBytes(size_t bytes);

  const std::unique_ptr<ByteStream> inner_;
  Loop& loop_;
  const FaultPlan plan_;
  const std::string peer_;
  std::mt19937_64 random_;
  uint64_t bytes_ = 0;
  absl::Status reset_;  // once reset_after_bytes have passed
  Readiness readiness_;
  Loop::TimerId read_delay_ = 0;  // while reads are blocked by a fault
  Loop::TimerId write_delay_ = 0;
};

}  // namespace pagewire::transport
