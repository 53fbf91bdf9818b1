// What a handler ends with, whatever user's code does.
#pragma once

#include <pagewire/internal/message_codec.h>
#include <pagewire/log.h>
#include <pagewire/method.h>

#include <absl/base/config.h>
#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <atomic>
#include <exception>
#include <utility>

namespace pagewire::internal {

#ifdef ABSL_HAVE_EXCEPTIONS
// INTERNAL, for the exception that is being handled.
inline absl::Status Thrown(const Method& method) {
  try {
    throw;
  } catch (const std::exception& thrown) {
    return absl::InternalError(absl::StrCat("handler of ", NameOf(method), " threw: ", thrown.what()));
  } catch (...) {
    return absl::InternalError(
        absl::StrCat("handler of ", NameOf(method), " threw something that is not a std::exception"));
  }
}
#endif

// What `handler`, which is user's code, returns; INTERNAL when it throws.
template <typename Result, typename Handler>
Result Guard([[maybe_unused]] const Method& method, Handler&& handler) {
#ifdef ABSL_HAVE_EXCEPTIONS
  try {
    return std::forward<Handler>(handler)();
  } catch (...) {
    return Thrown(method);
  }
#else
  return std::forward<Handler>(handler)();
#endif
}

// Passes on one result, the first that it is given, or INTERNAL when it is destroyed without one. Thread-safe.
template <typename Result>
class HandlerAnswer {
 public:
  // `method` in static storage.
  HandlerAnswer(const Method& method, absl::AnyInvocable<void(Result)> pass_on)
      : method_(method), pass_on_(std::move(pass_on)) {}
  HandlerAnswer(const HandlerAnswer&) = delete;
  HandlerAnswer& operator=(const HandlerAnswer&) = delete;
  ~HandlerAnswer() {
    if (given_.load(std::memory_order_acquire)) return;
    Give(absl::InternalError(
        absl::StrCat("handler of ", NameOf(method_), " dropped its done callback without calling it")));
  }

  void Give(Result result) {
    if (given_.exchange(true, std::memory_order_acq_rel)) {
      Log(LogSeverity::kError,
          absl::StrCat("handler of ", NameOf(method_), " called its done callback a second time; that was ignored"));
      return;
    }
    std::exchange(pass_on_, nullptr)(std::move(result));
  }

 private:
  const Method& method_;
  std::atomic<bool> given_ = false;
  absl::AnyInvocable<void(Result)> pass_on_;
};

}  // namespace pagewire::internal
