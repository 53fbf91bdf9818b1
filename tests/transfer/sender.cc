#include "transfer/sender.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <pagewire/pagewire.h>

#include <algorithm>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/string_view.h"
#include "transfer/transfer_service.h"

namespace pagewire::transfer {
namespace {

// Calls that one thread has under way.
constexpr int kInFlight = 4;

class Sender {
 public:
  Sender(const SenderOptions& options, uint64_t id)
      : options_(options),
        id_(id),
        random_(options.seed * 1000 + id),
        ring_(kInFlight, kMostPayloadBytes + 4096,
              options.churn ? StampedRing::Reuse::kOtherPages : StampedRing::Reuse::kSamePages) {
    Connect();
  }

  SenderFindings Run(absl::Time end) {
    uint64_t moved = 0;
    while (options_.bytes != 0 ? moved < options_.bytes : absl::Now() < end) {
      moved += StartCall();
      if (options_.churn && Pick(200) == 0) Connect();
    }
    {
      base::MutexLock lock(mutex_);
      while (in_flight_ > 0) changed_.Wait(mutex_);
    }
    const PayloadKeeper::Findings kept = keeper_.Finish();
    base::MutexLock lock(mutex_);
    if (findings_.first_error.empty()) findings_.first_error = kept.first_error;
    return findings_;
  }

 private:
  uint64_t Pick(uint64_t below) { return std::uniform_int_distribution<uint64_t>(0, below - 1)(random_); }

  void Connect() {
    ChannelOptions options;
    options.initial_backoff = options.max_backoff = absl::Milliseconds(10);
    stub_.emplace(CreateCustomChannel(options_.target, InsecureChannelCredentials(), options));
  }

  // From a byte to a buffer, all magnitudes alike, whole pages as often as not.
  uint64_t RandomSize() {
    const uint64_t size = 1 + Pick(uint64_t{1} << (3 + Pick(21)));
    return std::min(Pick(2) == 0 ? size : (size + 4095) / 4096 * 4096, kMostPayloadBytes);
  }

  struct Call {
    ClientContext context;
    StampOf stamp;
    uint64_t size = 0;
    uint64_t hold_us = 0;
    bool may_fail = false;
  };

  uint64_t StartCall() {
    {
      base::MutexLock lock(mutex_);
      while (in_flight_ >= kInFlight) changed_.Wait(mutex_);
      ++in_flight_;
    }
    auto call = std::make_shared<Call>();
    call->stamp = {++last_payload_ * 16 + id_, options_.seed};
    call->size = RandomSize();
    call->hold_us = Pick(4) == 0 ? Pick(20'000) : Pick(500);
    call->context.set_wait_for_ready(true);
    call->context.set_timeout(absl::Seconds(120));
    call->may_fail = options_.churn;
    if (options_.churn && Pick(20) == 0) call->context.set_timeout(absl::Microseconds(Pick(3'000)));
    Pick(3) == 0 ? StartGet(call) : StartPut(call);
    if (options_.churn && Pick(20) == 0) {
      absl::SleepFor(absl::Microseconds(Pick(300)));
      call->context.TryCancel();
    }
    return call->size;
  }

  void StartPut(const std::shared_ptr<Call>& call) {
    PutRequest request;
    request.mutable_stamp()->set_payload(call->stamp.payload);
    request.mutable_stamp()->set_seed(call->stamp.seed);
    request.set_hold_us(call->hold_us);
    Payload payload = OnlyPooled() || Pick(4) == 0 ? MakePooled(call->stamp, call->size)
                                                   : ring_.Make(call->stamp, call->size, Pick(4096));
    stub_->Callback().Put(call->context, request, std::move(payload), [this, call](absl::StatusOr<PutReply> reply) {
      Done(*call, reply.status(), call->context.transfer_report().sent, true);
    });
  }

  void StartGet(const std::shared_ptr<Call>& call) {
    GetRequest request;
    request.mutable_stamp()->set_payload(call->stamp.payload);
    request.mutable_stamp()->set_seed(call->stamp.seed);
    request.set_size(call->size);
    stub_->Callback().Get(call->context, request, [this, call](absl::StatusOr<WithPayload<GetReply>> reply) {
      const absl::Status status = reply.status();
      if (reply.ok()) {
        keeper_.Keep(call->stamp, std::move(reply->payload), absl::Microseconds(call->hold_us));
      }
      Done(*call, status, call->context.transfer_report().received, false);
    });
  }

  void Done(const Call& call, const absl::Status& status, const TransferReport& report, bool put) {
    base::MutexLock lock(mutex_);
    --in_flight_;
    changed_.NotifyAll();
    ++findings_.calls;
    if (!status.ok()) {
      ++findings_.failed_calls;
      if (!call.may_fail && findings_.first_error.empty()) findings_.first_error = std::string(status.message());
      return;
    }
    uint64_t accounted = report.mapped_bytes;
    for (const uint64_t copied : report.copied_bytes) accounted += copied;
    if (accounted != call.size && findings_.first_error.empty()) {
      findings_.first_error =
          absl::StrCat("the report of a payload of ", call.size, " bytes does not add up: ", report.ToString());
    }
    findings_.bytes += call.size;
    findings_.whole_page_bytes += call.size / 4096 * 4096;
    findings_.mapped_bytes += report.mapped_bytes;
    findings_.mss_bytes += report.copied(CopyReason::kMss);
    if (!put) return;
    findings_.put_bytes += call.size;
    if (report.send_path == SendPath::kFile) findings_.file_bytes += call.size;
    findings_.kernel_copied_bytes += report.kernel_copied_bytes;
  }

  const SenderOptions& options_;
  const uint64_t id_;
  std::mt19937_64 random_;
  uint64_t last_payload_ = 0;
  base::Mutex mutex_;
  base::CondVar changed_;
  int in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  SenderFindings findings_ ABSL_GUARDED_BY(mutex_);
  PayloadKeeper keeper_;
  StampedRing ring_;
  std::optional<Transfer::Stub> stub_;
};

}  // namespace

SenderFindings RunSender(const SenderOptions& options) {
  const absl::Time end = absl::Now() + options.duration;
  std::vector<SenderFindings> all(options.threads);
  {
    std::vector<std::thread> threads;
    for (int i = 0; i < options.threads; ++i) {
      threads.emplace_back([&, i] { all[i] = Sender(options, i).Run(end); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  SenderFindings sum;
  for (const SenderFindings& one : all) {
    sum.calls += one.calls;
    sum.failed_calls += one.failed_calls;
    sum.bytes += one.bytes;
    sum.whole_page_bytes += one.whole_page_bytes;
    sum.mapped_bytes += one.mapped_bytes;
    sum.mss_bytes += one.mss_bytes;
    sum.kernel_copied_bytes += one.kernel_copied_bytes;
    sum.put_bytes += one.put_bytes;
    sum.file_bytes += one.file_bytes;
    if (sum.first_error.empty()) sum.first_error = one.first_error;
  }
  return sum;
}

}  // namespace pagewire::transfer
