// A typed method of a generated stub, to the call that its channel makes.
#pragma once

#include <pagewire/awaitable.h>
#include <pagewire/channel.h>
#include <pagewire/client_context.h>
#include <pagewire/executor.h>
#include <pagewire/internal/block_pool.h>
#include <pagewire/internal/channel_access.h>
#include <pagewire/internal/item_codec.h>
#include <pagewire/internal/message_codec.h>
#include <pagewire/internal/raw_message.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/message_lite.h>

#include <memory>
#include <string>
#include <utility>

namespace pagewire::internal {

// FAILED_PRECONDITION for null.
inline absl::Status CheckChannel(const Channel* channel, const Method& method) {
  if (channel != nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      NameOf(method), ": the stub has no channel; construct it with one (mocks answer only methods they mock)"));
}

// The request's bytes, or why the call cannot be made: FAILED_PRECONDITION without a channel, INVALID_ARGUMENT and
// RESOURCE_EXHAUSTED for a request that cannot be serialized.
inline absl::StatusOr<std::string> PrepareCall(const Channel* channel, const Method& method,
                                               const google::protobuf::MessageLite& request) {
  if (absl::Status status = CheckChannel(channel, method); !status.ok()) return status;
  return Serialize(method, Part::kRequest, request);
}

// `method` must be in static storage. `payload` is empty where the method has none for its request.
template <typename Reply>
absl::StatusOr<Reply> Call(const std::shared_ptr<Channel>& channel, const Method& method, ClientContext& context,
                           const google::protobuf::MessageLite& request, Payload payload = Payload()) {
  absl::StatusOr<std::string> bytes = PrepareCall(channel.get(), method, request);
  if (!bytes.ok()) return std::move(bytes).status();
  return DecodeReply<Reply>(
      method, ChannelAccess::BlockingUnary(*channel, method, context, *std::move(bytes), std::move(payload)));
}

// The same with the response in the caller's message, and its payload in `*reply_payload` if the method has one. Both
// are unspecified after an error.
inline absl::Status CallInto(const std::shared_ptr<Channel>& channel, const Method& method, ClientContext& context,
                             const google::protobuf::MessageLite& request, Payload payload,
                             google::protobuf::MessageLite& reply, Payload* reply_payload = nullptr) {
  absl::StatusOr<std::string> bytes = PrepareCall(channel.get(), method, request);
  if (!bytes.ok()) return std::move(bytes).status();
  return DecodeInto(method, Part::kResponse,
                    ChannelAccess::BlockingUnary(*channel, method, context, *std::move(bytes), std::move(payload)),
                    reply, reply_payload);
}

// `done` runs once, on the executor, never inside this call. `request` as PrepareCall gives it.
inline void StartPrepared(const std::shared_ptr<Channel>& channel, const Method& method, ClientContext& context,
                          absl::StatusOr<std::string> request, Payload payload, ChannelAccess::Done done) {
  if (!request.ok()) {
    DefaultExecutor().Run(
        [status = std::move(request).status(), done = std::move(done)]() mutable { done(std::move(status)); });
    return;
  }
  ChannelAccess::StartUnary(*channel, method, context, *std::move(request), std::move(payload), std::move(done));
}

// `done` may be null if nobody wants to know.
template <typename Reply>
void StartPrepared(const std::shared_ptr<Channel>& channel, const Method& method, ClientContext& context,
                   absl::StatusOr<std::string> request, Payload payload,
                   absl::AnyInvocable<void(absl::StatusOr<Reply>)> done) {
  StartPrepared(channel, method, context, std::move(request), std::move(payload),
                Box([&method, done = std::move(done)](absl::StatusOr<RawMessage> raw) mutable {
                  if (done) done(DecodeReply<Reply>(method, std::move(raw)));
                }));
}

// See CallInto; `reply` and `*reply_payload` must live until `done`, which may be null, has run.
inline void StartCallInto(const std::shared_ptr<Channel>& channel, const Method& method, ClientContext& context,
                          const google::protobuf::MessageLite& request, Payload payload,
                          google::protobuf::MessageLite& reply, Payload* reply_payload,
                          absl::AnyInvocable<void(absl::Status)> done) {
  StartPrepared(channel, method, context, PrepareCall(channel.get(), method, request), std::move(payload),
                Box([&method, &reply, reply_payload, done = std::move(done)](absl::StatusOr<RawMessage> raw) mutable {
                  absl::Status status = DecodeInto(method, Part::kResponse, std::move(raw), reply, reply_payload);
                  if (done) done(std::move(status));
                }));
}

template <typename Reply>
void StartCall(const std::shared_ptr<Channel>& channel, const Method& method, ClientContext& context,
               const google::protobuf::MessageLite& request, Payload payload,
               absl::AnyInvocable<void(absl::StatusOr<Reply>)> done) {
  StartPrepared<Reply>(channel, method, context, PrepareCall(channel.get(), method, request), std::move(payload),
                       std::move(done));
}

#ifdef __cpp_impl_coroutine
template <typename Reply>
Awaitable<absl::StatusOr<Reply>> AwaitCall(const std::shared_ptr<Channel>& channel, const Method& method,
                                           ClientContext& context, const google::protobuf::MessageLite& request,
                                           Payload payload = Payload()) {
  return Awaitable<absl::StatusOr<Reply>>(
      [channel, &method, &context, prepared = PrepareCall(channel.get(), method, request),
       payload = std::move(payload)](absl::AnyInvocable<void(absl::StatusOr<Reply>)> done) mutable {
        StartPrepared<Reply>(channel, method, context, std::move(prepared), std::move(payload), std::move(done));
      });
}
#endif

}  // namespace pagewire::internal
