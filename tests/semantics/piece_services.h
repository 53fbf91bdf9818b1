// The service of pieces.proto in the three forms, and the bytes that its tests move.
#pragma once

#include <pagewire/pagewire.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/latch.h"
#include "base/mutex.h"
#include "pieces.pagewire.h"
#include "semantics/client_forms.h"

namespace pagewire::semantics {

// Bytes [offset, offset + size) of a payload of any size.
Payload PatternAt(uint64_t offset, uint64_t size);

// Takes pieces in order, and knows what bytes they should be.
class Checker {
 public:
  void Take(const Payload& piece);
  uint64_t size() const { return size_; }
  bool right() const { return right_; }

 private:
  uint64_t size_ = 0;
  bool right_ = true;
};

class PieceService final : public Pieces::Service {
 public:
  absl::StatusOr<Thing> Put(ServerContext& context, const Thing& request, ServerReader<Payload>& pieces) override;
  absl::Status Get(ServerContext& context, const Thing& request, ServerPieceWriter<Thing>& pieces) override;
  absl::Status Swap(ServerContext& context, const Thing& request, ServerPieceReaderWriter<Thing>& pieces) override;

  // What the last Put saw, or what the last Get knew to have arrived when it had no more to write.
  void AwaitEnd();
  uint64_t seen() const;
  absl::Status end() const;

 private:
  mutable base::Mutex mutex_;
  base::CondVar changed_;
  uint64_t seen_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
};

// Put, Get and Swap alone, without the special names.
std::unique_ptr<Service> MakePieceService(Form form);

}  // namespace pagewire::semantics
