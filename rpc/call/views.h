// What connections and calls look like at one moment, for whoever asks: plain values.
#pragma once

#include <absl/time/time.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "transport/session_view.h"

namespace pagewire::call {

// Times are base::CoarseNow where nothing else is said.
struct ConnectionView {
  enum class State { kConnecting, kReady, kDraining, kClosing, kClosed, kTransientFailure };

  uint64_t id = 0;
  bool client = false;
  uint64_t owner = 0;  // SessionOptions::owner
  std::string target;
  State state = State::kConnecting;
  std::string failure;
  std::optional<absl::Duration> idle;  // without calls; nullopt: there are some
  uint64_t calls_open = 0;
  uint64_t calls_waiting = 0;
  std::optional<transport::SessionView> session;  // nullopt: there is no stream
};

// A call's place in lists.
struct CallPlace {
  uint64_t connection = 0;
  uint64_t call = 0;

  friend auto operator<=>(const CallPlace&, const CallPlace&) = default;
};

// Calls that have no id on a connection yet are numbered from here on.
inline constexpr uint64_t kFirstWaitingCall = uint64_t{1} << 63;

struct CallView {
  enum class Phase {
    kWaitingForConnection,
    kWaitingToRetry,
    kSent,
    kReceiving,
    kRunning,
    kEnded,     // the client was told or is gone, the handler still runs
    kAnswered,  // the handler is done, the answer not sent
  };
  CallPlace place;
  bool client = false;
  std::string method;
  std::string peer;
  Phase phase = Phase::kSent;
  absl::Time began;
  absl::Time deadline = absl::InfiniteFuture();  // as absl::Now
  uint32_t attempt = 0;
  transport::CallTraffic traffic;
};

struct TransferOfCall {
  uint64_t connection = 0;
  std::string method;  // empty: the call is over
  std::string peer;
  transport::TransferView transfer;
};

}  // namespace pagewire::call
