// Operations that C++20 coroutines wait for.
#pragma once

#ifdef __cpp_impl_coroutine

#include <absl/functional/any_invocable.h>

#include <coroutine>
#include <optional>
#include <utility>

namespace pagewire {

// co_await starts the operation, gives its thread back, and goes on with the result on a thread of DefaultExecutor(),
// or on a loop: see ChannelOptions::inline_completions and ServerBuilder::RegisterInlineService. To be awaited once, at
// once or later; one that is never awaited does nothing. What it refers to, such as a context, must live until then.
template <typename Value>
class [[nodiscard]] Awaitable {
 public:
  // `start` starts the operation, which calls what it is given once, never inside `start`.
  using Start = absl::AnyInvocable<void(absl::AnyInvocable<void(Value)>) &&>;
  explicit Awaitable(Start start) : start_(std::move(start)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    // The coroutine, and this with it, may be gone before the call returns.
    Start start = std::move(start_);
    std::move(start)([this, coroutine](Value value) {
      value_.emplace(std::move(value));
      coroutine.resume();
    });
  }
  Value await_resume() { return *std::move(value_); }

 private:
  Start start_;
  std::optional<Value> value_;
};

}  // namespace pagewire

#endif  // __cpp_impl_coroutine
