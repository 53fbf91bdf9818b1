// How a channel fares.
#pragma once

#include <string_view>

namespace pagewire {

// As gRPC names them.
enum class ConnectivityState {
  kIdle,              // no connection, and none is wanted: the next call makes one
  kConnecting,        // an attempt is under way
  kReady,             // the server has answered
  kTransientFailure,  // the last attempt failed; the next one is due after the backoff
  kShutdown,          // the channel was destroyed
};

// "IDLE", "CONNECTING", "READY", "TRANSIENT_FAILURE", "SHUTDOWN". The result is a literal.
std::string_view ConnectivityStateName(ConnectivityState state);

}  // namespace pagewire
