// One line in the log for each call that failed. Link pagewire::admin.
#pragma once

#include <pagewire/interceptor.h>

#include <absl/time/time.h>

#include <functional>
#include <memory>

namespace pagewire {

struct FailureLogOptions {
  // What time it is; null: a clock that nobody sets. Any thread.
  std::function<absl::Duration()> clock = nullptr;
};

// For ChannelOptions::interceptors and ServerBuilder::AddInterceptor: before interceptors whose refusals should be
// logged, too. A call that ends with another status than OK writes one warning by pagewire::Log, in one line of
// key=value:
//
//   call failed: side=client method=/blob.BlobStore/Put peer=ipv4:10.0.0.7:7070 code=UNAVAILABLE message="connection to
//   ipv4:10.0.0.7:7070 lost: ..." duration_ms=1042.317 sent_messages=1 sent_message_bytes=17 sent_payload_bytes=1048576
//   received_messages=0 received_message_bytes=0 received_payload_bytes=0
//   traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//
// `peer` is missing where the call reached no server, and `traceparent` without a trace; behind a tracing interceptor
// it is the call's own span, else what the client's metadata says. The message is escaped as in C and cut after 1024
// bytes. Metadata is not written, because it carries secrets.
std::shared_ptr<ClientInterceptor> MakeClientFailureLog(const FailureLogOptions& options = {});
std::shared_ptr<ServerInterceptor> MakeServerFailureLog(const FailureLogOptions& options = {});

}  // namespace pagewire
