// What coroutines of handlers and clients return.
#pragma once

#ifdef __cpp_impl_coroutine

#include <pagewire/internal/blocking.h>

#include <absl/functional/any_invocable.h>

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace pagewire {

template <typename Value>
class Task;

namespace internal {

// How a task ended: with a value or by throwing.
template <typename Value>
class TaskResult {
 public:
  template <typename Result>
  void return_value(Result&& result) {
    value_.emplace(std::forward<Result>(result));
  }
  Value Take() { return *std::move(value_); }

 private:
  std::optional<Value> value_;
};

template <>
class TaskResult<void> {
 public:
  void return_void() noexcept {}
  void Take() noexcept {}
};

template <typename Value>
class TaskPromise : public TaskResult<Value> {
 public:
  using Handle = std::coroutine_handle<TaskPromise>;

  Task<Value> get_return_object() { return Task<Value>(Handle::from_promise(*this)); }
  std::suspend_always initial_suspend() noexcept { return {}; }
  auto final_suspend() noexcept {
    struct Continue {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(Handle ended) noexcept { return ended.promise().continuation_; }
      void await_resume() noexcept {}
    };
    return Continue{};
  }
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

 private:
  friend class Task<Value>;
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
  std::exception_ptr thrown_;
};

// A coroutine that nobody awaits and that destroys itself.
struct Detached {
  struct promise_type {
    Detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

}  // namespace internal

// A coroutine that gives one Value, or nothing. It starts when it is awaited, on the thread that awaits it, and what
// awaits it goes on where it ended. What it throws is thrown where it is awaited. Destroying a task that has not been
// awaited destroys the coroutine; one that has begun must end first. Parameters that a coroutine takes by reference
// must live until it ends.
template <typename Value = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<Value>;

  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    coroutine_.promise().continuation_ = awaiting;
    return coroutine_;
  }
  Value await_resume() {
    promise_type& promise = coroutine_.promise();
    if (promise.thrown_) std::rethrow_exception(promise.thrown_);
    return promise.Take();
  }

 private:
  friend promise_type;
  explicit Task(typename promise_type::Handle coroutine) : coroutine_(coroutine) {}
  typename promise_type::Handle coroutine_;
};

// Runs a task from code that is no coroutine: on this thread until it first waits. `done` gets its value, on the thread
// where the task ends. A task that throws ends the process.
template <typename Value>
internal::Detached Start(Task<Value> task, absl::AnyInvocable<void(Value)> done) {
  done(co_await std::move(task));
}
inline internal::Detached Start(Task<> task, absl::AnyInvocable<void()> done) {
  co_await std::move(task);
  done();
}

// Runs a task and blocks until it has ended, as main and tests do. Not on the library's loop threads.
template <typename Value>
Value Wait(Task<Value> task) {
  return internal::BlockOn<Value>(
      [&](absl::AnyInvocable<void(Value)> done) { Start<Value>(std::move(task), std::move(done)); });
}
inline void Wait(Task<> task) {
  internal::Gate gate;
  Start(std::move(task), [gate]() mutable { gate.Open(); });
  gate.Wait();
}

}  // namespace pagewire

#endif  // __cpp_impl_coroutine
