// What an item costs its call from its delivery until the application has read it.
#pragma once

#include <cstdint>
#include <optional>

#include "payload/reservation.h"

namespace pagewire::transport {

// Given with each message, or with the payload that follows it for both; whoever got it gives it back through
// Session::OnRead. One that is dropped instead, because its call is over, releases its memory.
struct Unread {
  uint64_t credit = 0;                         // that its items took
  uint64_t from_limit = 0;                     // of it, what was the call's own and is returned to it
  std::optional<memory::Reservation> backing;  // what keeps a message's bytes accounted for
};

}  // namespace pagewire::transport
