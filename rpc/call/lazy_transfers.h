// The reports of a call's payloads, of which most calls have none.
#pragma once

#include <pagewire/internal/block_pool.h>
#include <pagewire/transfer_report.h>

#include <memory>

namespace pagewire::call {

// Memory is taken with the first report. Copies share it.
class LazyTransfers {
 public:
  // Valid while any copy lives, if there are reports; for ever if not.
  const CallTransferReport& Get() const {
    static const CallTransferReport* const kNone = new CallTransferReport();
    return reports_ == nullptr ? *kNone : *reports_;
  }

  CallTransferReport& Mutable() {
    if (reports_ == nullptr) reports_ = internal::MakeShared<CallTransferReport>();
    return *reports_;
  }

 private:
  std::shared_ptr<CallTransferReport> reports_;
};

}  // namespace pagewire::call
