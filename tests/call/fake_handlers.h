// A server's methods without services: handlers run when a test says so.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "call/handler_table.h"

namespace pagewire::call::testing {

inline constexpr Method kEcho{"/t.S/Echo", PayloadDirection::kNone};
inline constexpr Method kPut{"/t.S/Put", PayloadDirection::kRequest};
inline constexpr Method kGet{"/t.S/Get", PayloadDirection::kResponse};
inline constexpr Method kSwap{"/t.S/Swap", PayloadDirection::kBoth};
inline constexpr Method kList{"/t.S/List", PayloadDirection::kResponse, MethodType::kServerStreaming};
inline constexpr Method kAppend{"/t.S/Append", PayloadDirection::kRequest, MethodType::kClientStreaming};
inline constexpr Method kChat{"/t.S/Chat", PayloadDirection::kBoth, MethodType::kBidiStreaming};

// A handler that was called and has not returned.
struct RunningHandler {
  const Method* method;
  std::shared_ptr<internal::ServerCallState> state;
  std::string request;
  Payload payload;
  HandlerTable::Done done;
  std::shared_ptr<internal::RawServerStream> stream;  // of a streaming method

  void Return(absl::StatusOr<internal::RawMessage> reply) { std::exchange(done, nullptr)(std::move(reply)); }
};

class FakeHandlers final : public HandlerTable {
 public:
  const Method* Find(std::string_view name, absl::Status& unknown) const override {
    for (const Method* method : {&kEcho, &kPut, &kGet, &kSwap, &kList, &kAppend, &kChat}) {
      if (method->name == name) return method;
    }
    unknown = absl::UnimplementedError("no such method");
    return nullptr;
  }

  void Run(const Method& method, std::shared_ptr<internal::ServerCallState> state, internal::RawMessage request,
           std::shared_ptr<internal::RawServerStream> stream, Done done) const override {
    ++runs_;
    RunningHandler handler{&method,         std::move(state), std::move(request.bytes), std::move(request.payload),
                           std::move(done), std::move(stream)};
    if (answer && handler.stream == nullptr) return handler.Return(answer(handler));
    running_.push_back(std::move(handler));
  }

  // Set: every handler returns this at once.
  std::function<absl::StatusOr<internal::RawMessage>(RunningHandler&)> answer;

  // What a handler that answers with what it was given returns.
  static absl::StatusOr<internal::RawMessage> Echo(RunningHandler& handler) {
    internal::RawMessage reply;
    reply.bytes = std::move(handler.request);
    if (HasResponsePayload(handler.method->payload)) reply.payload = std::move(handler.payload);
    return reply;
  }

  size_t running() const { return running_.size(); }
  size_t runs() const { return runs_; }

  // The handler that was called first; there is one.
  RunningHandler Take() {
    RunningHandler handler = std::move(running_.front());
    running_.pop_front();
    return handler;
  }

 private:
  mutable size_t runs_ = 0;
  mutable std::deque<RunningHandler> running_;
};

}  // namespace pagewire::call::testing
