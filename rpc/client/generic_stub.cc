#include <pagewire/executor.h>
#include <pagewire/generic_stub.h>
#include <pagewire/internal/channel_access.h>
#include <pagewire/internal/item_codec.h>
#include <pagewire/internal/stream_client.h>
#include <pagewire/method.h>

#include <map>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace pagewire {
namespace {

using internal::ChannelAccess;
using internal::RawMessage;

// The library keeps references to methods for as long as it likes.
const Method& MethodOf(std::string_view name, MethodType type) {
  struct Table {
    base::Mutex mutex;
    std::map<std::pair<std::string, MethodType>, Method> methods ABSL_GUARDED_BY(mutex);
  };
  static Table& table = *new Table;
  base::MutexLock lock(table.mutex);
  const auto [it, is_new] = table.methods.try_emplace({std::string(name), type});
  if (is_new) it->second = {it->first.first, PayloadDirection::kBoth, type};  // later only read, without the lock
  return it->second;
}

absl::StatusOr<GenericMessage> ReplyOf(absl::StatusOr<RawMessage> raw) {
  if (!raw.ok()) return std::move(raw).status();
  return GenericMessage{std::move(raw->bytes), std::move(raw->payload)};
}

}  // namespace

absl::StatusOr<GenericMessage> GenericStub::Call(ClientContext& context, std::string_view method,
                                                 GenericMessage request) {
  const Method& known = MethodOf(method, MethodType::kUnary);
  if (absl::Status status = internal::CheckChannel(channel_.get(), known); !status.ok()) return status;
  return ReplyOf(
      ChannelAccess::BlockingUnary(*channel_, known, context, std::move(request.bytes), std::move(request.payload)));
}

void GenericStub::Call(ClientContext& context, std::string_view method, GenericMessage request,
                       absl::AnyInvocable<void(absl::StatusOr<GenericMessage>)> done) {
  const Method& known = MethodOf(method, MethodType::kUnary);
  auto reply = [done = std::move(done)](absl::StatusOr<RawMessage> raw) mutable {
    if (done) done(ReplyOf(std::move(raw)));
  };
  if (absl::Status status = internal::CheckChannel(channel_.get(), known); !status.ok()) {
    DefaultExecutor().Run(
        [status = std::move(status), reply = std::move(reply)]() mutable { reply(std::move(status)); });
    return;
  }
  ChannelAccess::StartUnary(*channel_, known, context, std::move(request.bytes), std::move(request.payload),
                            std::move(reply));
}

std::unique_ptr<GenericStub::Stream> GenericStub::StartStream(ClientContext& context, std::string_view method) {
  const Method& known = MethodOf(method, MethodType::kBidiStreaming);
  return std::make_unique<internal::BlockingClientReaderWriter<GenericMessage, GenericMessage>>(
      internal::StartStream(channel_, known, context), known);
}

GenericStub::AsyncStream GenericStub::StartAsyncStream(ClientContext& context, std::string_view method) {
  const Method& known = MethodOf(method, MethodType::kBidiStreaming);
  return AsyncStream(internal::StartStream(channel_, known, context), known);
}

}  // namespace pagewire
