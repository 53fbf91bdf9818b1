#include "transport/keepalive.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

namespace pagewire::transport {
namespace {

// So that no option makes a loop of timers that never waits.
constexpr absl::Duration kShortest = absl::Milliseconds(1);

}  // namespace

Keepalive::Keepalive(Loop& loop, const KeepaliveOptions& options, Connection connection)
    : loop_(loop),
      options_({std::max(options.time, kShortest), std::max(options.timeout, kShortest), options.without_calls}),
      connection_(std::move(connection)) {}

Keepalive::~Keepalive() { loop_.CancelTimer(timer_); }

void Keepalive::Start() {
  if (options_.time == absl::InfiniteDuration()) return;
  OnReceived();
  WatchFor(options_.time);
}

void Keepalive::WatchFor(absl::Duration delay) {
  timer_ = loop_.RunAfter(delay, [this] { OnSilence(); });
}

void Keepalive::OnSilence() {
  timer_ = 0;
  const absl::Duration silence = loop_.Now() - last_received_;
  if (silence < options_.time) return WatchFor(options_.time - silence);
  if (!options_.without_calls && !connection_.has_calls()) return WatchFor(options_.time);
  asked_ = true;
  timer_ = loop_.RunAfter(options_.timeout, [this] { OnTimeout(); });
  connection_.send_ping(++last_ping_);
}

void Keepalive::OnAnswered() {
  asked_ = false;
  loop_.CancelTimer(timer_);
  WatchFor(options_.time);
}

void Keepalive::OnTimeout() {
  timer_ = 0;
  connection_.fail(absl::UnavailableError(absl::StrCat("keepalive: the peer has sent nothing for ",
                                                       absl::FormatDuration(loop_.Now() - last_received_),
                                                       ", not even the answer to "
                                                       "a ping within ",
                                                       absl::FormatDuration(options_.timeout))));
}

}  // namespace pagewire::transport
