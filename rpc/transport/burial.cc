#include "transport/burial.h"

#include <absl/strings/str_cat.h>
#include <pagewire/log.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

namespace pagewire {
namespace {

std::atomic<uint64_t> quarantined_bytes{0};

}  // namespace

uint64_t QuarantinedBytes() { return quarantined_bytes.load(std::memory_order_relaxed); }

namespace transport {
namespace {

// How long what was written may still go out. A live peer takes it within a round trip; a second is a long one.
constexpr absl::Duration kLinger = absl::Seconds(1);

// How often the kernel is asked: doubles from the first value.
constexpr absl::Duration kFirstPoll = absl::Milliseconds(1);
constexpr absl::Duration kLongestPoll = absl::Seconds(1);

// When it is worth a line in the log that a device still has not let go.
constexpr absl::Duration kUnusual = absl::Seconds(10);

class Burial {
 public:
  Burial(Loop& loop, std::unique_ptr<ByteStream> stream, AckLedger ledger)
      : loop_(loop), stream_(std::move(stream)), ledger_(std::move(ledger)), began_(loop.Now()) {
    Count();
  }

  ~Burial() {
    quarantined_bytes -= counted_;
    if (ledger_.references() > 0) static_cast<void>(new AckLedger(std::move(ledger_)));
  }

  // Whether the kernel has let go of everything.
  bool Done() {
    released_.clear();
    stream_->TakeReleased(released_);
    for (const Released& released : released_) ledger_.OnKernelReleased(released.tag);
    Count();
    return ledger_.references() == 0;
  }

  static void PollLater(std::unique_ptr<Burial> burial) {
    Loop& loop = burial->loop_;
    const absl::Duration delay = std::exchange(burial->poll_, std::min(burial->poll_ * 2, kLongestPoll));
    loop.RunAfter(delay, [burial = std::move(burial)]() mutable {
      if (burial->Done()) return;
      burial->Grow();
      if (!burial->Done()) PollLater(std::move(burial));
    });
  }

 private:
  void Grow() {
    const absl::Duration age = loop_.Now() - began_;
    if (age >= kLinger && !std::exchange(aborted_, true)) stream_->Abort();
    if (age < kUnusual || std::exchange(told_, true)) return;
    Log(LogSeverity::kWarning,
        absl::StrCat("the kernel still holds ", ledger_.bytes(), " payload bytes of the connection to ",
                     stream_->peer(), ", which ended ", absl::FormatDuration(age),
                     " ago; they stay in quarantine until it lets go"));
  }

  void Count() {
    quarantined_bytes += ledger_.bytes() - counted_;  // modulo 2^64, like the sum
    counted_ = ledger_.bytes();
  }

  Loop& loop_;
  std::unique_ptr<ByteStream> stream_;
  AckLedger ledger_;
  const absl::Time began_;
  absl::Duration poll_ = kFirstPoll;
  bool aborted_ = false;
  bool told_ = false;
  uint64_t counted_ = 0;
  std::vector<Released> released_;
};

}  // namespace

void Bury(Loop& loop, std::unique_ptr<ByteStream> stream, AckLedger ledger) {
  stream->Detach();
  auto burial = std::make_unique<Burial>(loop, std::move(stream), std::move(ledger));
  if (!burial->Done()) Burial::PollLater(std::move(burial));
}

}  // namespace transport
}  // namespace pagewire
