#include "transport/busy_poll.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <pagewire/log.h>
#include <sched.h>

#include <cstdlib>

namespace pagewire::transport {
namespace {

constexpr char kVariable[] = "PAGEWIRE_BUSY_POLL_US";
constexpr absl::Duration kDefault = absl::Microseconds(50);

// While a loop polls its timers wait. They have a resolution of a millisecond.
constexpr int kMostMicroseconds = 1000;

absl::Duration ReadLimit() {
  if (const char* text = std::getenv(kVariable)) {
    int microseconds = 0;
    if (absl::SimpleAtoi(text, &microseconds) && microseconds >= 0 && microseconds <= kMostMicroseconds) {
      return absl::Microseconds(microseconds);
    }
    Log(LogSeverity::kWarning,
        absl::StrCat(kVariable, "=", text, " is ignored: it must be a number of microseconds, 0 to ",
                     kMostMicroseconds));
  }
  cpu_set_t processors;
  if (sched_getaffinity(0, sizeof(processors), &processors) == 0 && CPU_COUNT(&processors) == 1) {
    return absl::ZeroDuration();
  }
  return kDefault;
}

}  // namespace

absl::Duration BusyPollLimit() {
  static const absl::Duration limit = ReadLimit();
  return limit;
}

}  // namespace pagewire::transport
