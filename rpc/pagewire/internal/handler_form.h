// The three forms in which a service's methods can be written, and how each is run.
#pragma once

#include <pagewire/async_piece_stream.h>
#include <pagewire/async_server_stream.h>
#include <pagewire/internal/block_pool.h>
#include <pagewire/internal/blocking_server_stream.h>
#include <pagewire/internal/handler_answer.h>
#include <pagewire/method.h>
#include <pagewire/task.h>

#include <absl/base/config.h>
#include <absl/functional/any_invocable.h>

#include <memory>
#include <utility>

namespace pagewire::internal {

// A form says which streams a method is given, and has
//   Run<Result>(method, call, answer)
// which runs user's code, `call`, and then once, on any thread, `answer` with what it ended with. What user's code
// throws goes no further: INTERNAL, with what() in the message.

// call() returns the result.
struct BlockingForm {
  template <typename Request>
  using Reader = BlockingServerReader<Request>;
  template <typename Response>
  using Writer = BlockingServerWriter<Response>;
  template <typename Response, typename Request>
  using ReaderWriter = BlockingServerReaderWriter<Response, Request>;
  template <typename Response>
  using PieceWriter = BlockingServerPieceWriter<Response>;
  template <typename Response>
  using PieceReaderWriter = BlockingServerPieceReaderWriter<Response>;

  template <typename Result, typename Call>
  static void Run(const Method& method, Call call, absl::AnyInvocable<void(Result)> answer) {
    answer(Guard<Result>(method, call));
  }
};

struct AsyncForm {
  template <typename Request>
  using Reader = AsyncServerReader<Request>;
  template <typename Response>
  using Writer = AsyncServerWriter<Response>;
  template <typename Response, typename Request>
  using ReaderWriter = AsyncServerReaderWriter<Response, Request>;
  template <typename Response>
  using PieceWriter = AsyncServerPieceWriter<Response>;
  template <typename Response>
  using PieceReaderWriter = AsyncServerPieceReaderWriter<Response>;
};

// call(done) returns at once; `done` is called with the result, once. INTERNAL where it is destroyed without.
struct CallbackForm : AsyncForm {
  template <typename Result, typename Call>
  static void Run(const Method& method, Call call, absl::AnyInvocable<void(Result)> answer) {
    const auto once = MakeShared<HandlerAnswer<Result>>(method, std::move(answer));
    const absl::Status thrown = Guard<absl::Status>(method, [&] {
      call(absl::AnyInvocable<void(Result)>([once](Result result) { once->Give(std::move(result)); }));
      return absl::OkStatus();
    });
    if (!thrown.ok()) once->Give(thrown);
  }
};

#ifdef __cpp_impl_coroutine
// call() returns a task of the result.
struct TaskForm : AsyncForm {
  template <typename Result, typename Call>
  static Detached Run(const Method& method, Call call, absl::AnyInvocable<void(Result)> answer) {
    Result result = absl::InternalError("");
#ifdef ABSL_HAVE_EXCEPTIONS
    try {
      result = co_await call();
    } catch (...) {
      result = Thrown(method);
    }
#else
    result = co_await call();
#endif
    answer(std::move(result));
  }
};
#endif  // __cpp_impl_coroutine

}  // namespace pagewire::internal
