#include "transfer_callers.h"

#include <absl/strings/str_cat.h>

#include "harness/json_fields.h"

namespace pagewire::bench {

void SeenPaths::Add(const TransferReport& report, uint64_t bytes) {
  bytes_ += bytes;
  mapped_ += report.mapped_bytes;
  if (known_.load(std::memory_order_relaxed) || known_.exchange(true)) return;
  base::MutexLock lock(mutex_);
  paths_ =
      absl::StrCat(std::string(SendPathName(report.send_path)), "/", std::string(ReceivePathName(report.receive_path)));
}

std::string SeenPaths::Fields() const {
  if (bytes_ == 0) return "";
  base::MutexLock lock(mutex_);
  return JsonField("mapped_fraction", static_cast<double>(mapped_) / static_cast<double>(bytes_)) +
         JsonField("paths", paths_);
}

CallLog::CallLog(const Calling& calling, Tally& tally)
    : calling_(calling),
      recorder_(tally.Add()),
      source_(calling.options.piecewise ? kPieceBytes : calling.options.payload_bytes,
              calling.kind == Kind::kPut ? 1 : 0, calling.options.touch) {
  request_.set_filler(std::string(calling.options.message_bytes, 'x'));
  if (calling.kind == Kind::kGet) request_.set_size(calling.options.payload_bytes);
}

uint64_t CallLog::Begin() {
  began_ = Recorder::Now();
  return begun_++;
}

bool CallLog::End(const absl::Status& status, uint64_t bytes, const ClientContext& context) {
  if (!status.ok()) {
    recorder_.Failed(status.ToString());
    return false;
  }
  const uint64_t expected =
      calling_.kind == Kind::kEcho ? calling_.options.message_bytes : calling_.options.payload_bytes;
  if (bytes != expected) {
    recorder_.Failed(absl::StrCat(bytes, " bytes arrived, and were right, of ", expected));
    return false;
  }
  recorder_.Ended(began_, calling_.kind == Kind::kEcho ? 0 : bytes);
  if (calling_.kind == Kind::kEcho || calling_.options.piecewise) return true;
  const CallTransferReport& reports = context.transfer_report();
  calling_.seen.Add(calling_.kind == Kind::kGet ? reports.received : reports.sent, bytes);
  return true;
}

}  // namespace pagewire::bench
