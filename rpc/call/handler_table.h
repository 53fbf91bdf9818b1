// How the calls of a connection reach the services.
#pragma once

#include <pagewire/executor.h>
#include <pagewire/internal/raw_reply.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

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

  // Runs the handler on the executor, then `done` on the same thread.
  using Done = absl::AnyInvocable<void(absl::StatusOr<internal::RawReply>)>;
  virtual void Run(const Method& method, std::shared_ptr<internal::ServerCallState> state, std::string request,
                   Payload payload, Done done) const = 0;
};

}  // namespace pagewire::call
