// How the calls of a connection reach the services.
#pragma once

#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "call/admission.h"
#include "call/method_terms.h"
#include "call/server_call_state.h"

namespace pagewire::call {

// Implemented by the server. Thread-safe and constant while connections live.
class HandlerTable {
 public:
  virtual ~HandlerTable() = default;

  // The method of that name, or null. `unknown` then says why, for the client: UNIMPLEMENTED.
  virtual const Method* Find(std::string_view name, absl::Status& unknown) const = 0;

  // What holds for calls of that name instead of what holds for all; null: nothing else. Lives as long as the table.
  virtual const MethodTerms* TermsOf(std::string_view /*name*/) const { return nullptr; }

  // A place for a call of that name on a connection that has `own` calls in flight, kept until it is over. See
  // Admission.
  virtual absl::StatusOr<Place> Admit(std::string_view /*name*/, uint64_t /*own*/) const { return Place(); }

  // Full names of the services, in their order; as long as the table.
  virtual absl::Span<const std::string> ServiceNames() const { return {}; }

  // Starts the method's handler on the executor. `request` is empty where requests are a stream; messages of streams go
  // through `stream`, null where neither direction is one. `done` runs once, with what the handler returned, on any
  // thread: the response, an empty message where responses are a stream.
  using Done = absl::AnyInvocable<void(absl::StatusOr<internal::RawMessage>)>;
  virtual void Run(const Method& method, std::shared_ptr<internal::ServerCallState> state, internal::RawMessage request,
                   std::shared_ptr<internal::RawServerStream> stream, Done done) const = 0;
};

}  // namespace pagewire::call
