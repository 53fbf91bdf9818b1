// Repeating a system call that a signal interrupted.
#pragma once

#include <sys/types.h>

#include <cerrno>

namespace pagewire::base {

// What `call` returns: -1 with errno, but never EINTR.
template <typename Call>
ssize_t Uninterrupted(Call call) {
  ssize_t result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

}  // namespace pagewire::base
