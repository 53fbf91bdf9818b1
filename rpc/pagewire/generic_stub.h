// Calls of any method by its name, for proxies and tools: messages are bytes.
#pragma once

#include <pagewire/async_client_stream.h>
#include <pagewire/channel.h>
#include <pagewire/client_context.h>
#include <pagewire/client_stream.h>
#include <pagewire/generic_message.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string_view>
#include <utility>

namespace pagewire {

// Thread-safe. `method` is "/package.Service/Method"; the names used are remembered for ever, so they should be those
// of methods. Without a channel (null) every call fails with FAILED_PRECONDITION.
class GenericStub {
 public:
  explicit GenericStub(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  // A call with one message each way. The errors are those of any call; a server that has another idea of the method
  // answers with its own.
  absl::StatusOr<GenericMessage> Call(ClientContext& context, std::string_view method, GenericMessage request);

  // The same without waiting: `done` runs exactly once, on the executor, never inside the call. The context must live
  // until then.
  void Call(ClientContext& context, std::string_view method, GenericMessage request,
            absl::AnyInvocable<void(absl::StatusOr<GenericMessage>)> done);

  // A call of any kind. Where the request is one message, write one and say WritesDone.
  using Stream = ClientReaderWriter<GenericMessage, GenericMessage>;
  std::unique_ptr<Stream> StartStream(ClientContext& context, std::string_view method);
  using AsyncStream = AsyncClientReaderWriter<GenericMessage, GenericMessage>;
  AsyncStream StartAsyncStream(ClientContext& context, std::string_view method);

 private:
  const std::shared_ptr<Channel> channel_;
};

}  // namespace pagewire
