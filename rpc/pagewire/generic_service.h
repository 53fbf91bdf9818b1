// Serves methods that no other service of the server has, whatever their names: for proxies.
#pragma once

#include <pagewire/async_server_stream.h>
#include <pagewire/generic_message.h>
#include <pagewire/server_context.h>
#include <pagewire/server_stream.h>
#include <pagewire/service.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

namespace pagewire {

// Derive, override Handle, and hand it to ServerBuilder::RegisterGenericService. Every call looks like a stream in both
// directions: a unary one brings one message and takes one. context.method() says which method is meant.
class GenericService : public Service {
 public:
  GenericService();
  virtual absl::Status Handle(ServerContext& context, ServerReaderWriter<GenericMessage, GenericMessage>& stream) = 0;
};

// The same in the callback form: the call ends when `done` is called.
class CallbackGenericService : public Service {
 public:
  CallbackGenericService();
  virtual void Handle(ServerContext& context, AsyncServerReaderWriter<GenericMessage, GenericMessage> stream,
                      absl::AnyInvocable<void(absl::Status)> done) = 0;
};

}  // namespace pagewire
