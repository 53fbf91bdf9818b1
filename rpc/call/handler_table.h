// How the calls of a connection reach the services.
#pragma once

#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>

#include "call/server_call_state.h"

namespace pagewire::call {

// Implemented by the server. Thread-safe and constant while connections live.
class HandlerTable {
 public:
  virtual ~HandlerTable() = default;

  // The method of that name, or null. `unknown` then says why, for the client: UNIMPLEMENTED.
  virtual const Method* Find(std::string_view name, absl::Status& unknown) const = 0;

  // Starts the handler of a unary method on the executor. `done` runs once, with what it returned, on any thread.
  using Done = absl::AnyInvocable<void(absl::StatusOr<internal::RawMessage>)>;
  virtual void Run(const Method& method, std::shared_ptr<internal::ServerCallState> state, std::string request,
                   Payload payload, Done done) const = 0;

  // The same for the other kinds, whose messages go through `stream`. `done` gets an empty message with OK.
  virtual void RunStream(const Method& method, std::shared_ptr<internal::ServerCallState> state,
                         std::shared_ptr<internal::RawServerStream> stream, Done done) const = 0;
};

}  // namespace pagewire::call
