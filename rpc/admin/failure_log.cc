#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <pagewire/client_context.h>
#include <pagewire/failure_log.h>
#include <pagewire/log.h>
#include <pagewire/server_context.h>

#include <string>
#include <utility>

#include "admin/clock.h"
#include "admin/trace_metadata.h"
#include "base/string_view.h"

namespace pagewire {
namespace admin {
namespace {

constexpr size_t kMaxMessage = 1024;

void Add(const MessageTraffic& more, MessageTraffic& sum) {
  sum.messages += more.messages;
  sum.message_bytes += more.message_bytes;
  sum.payload_bytes += more.payload_bytes;
}

std::string Text(std::string_view direction, const MessageTraffic& traffic) {
  const absl::string_view way = base::ToAbsl(direction);
  return absl::StrCat(" ", way, "_messages=", traffic.messages, " ", way, "_message_bytes=", traffic.message_bytes, " ",
                      way, "_payload_bytes=", traffic.payload_bytes);
}

// Peers and methods may come from elsewhere, and spaces would end a value.
std::string Word(std::string_view text) {
  const std::string escaped = absl::CEscape(base::ToAbsl(text));
  return escaped.find_first_of(" =\\") == escaped.npos ? escaped : absl::StrCat("\"", escaped, "\"");
}

class FailureObserver final : public CallObserver {
 public:
  FailureObserver(std::string_view side, std::string_view method, std::string peer, std::string traceparent,
                  const Clock& clock)
      : side_(side),
        method_(method),
        traceparent_(std::move(traceparent)),
        clock_(clock),
        began_(clock_()),
        peer_(std::move(peer)) {}

  void OnSent(const MessageTraffic& traffic) override { Add(traffic, sent_); }
  void OnReceived(const MessageTraffic& traffic) override { Add(traffic, received_); }
  void OnPeer(std::string_view peer) override { peer_ = peer; }
  void OnEnd(const absl::Status& status) override {
    if (!status.ok()) Log(LogSeverity::kWarning, Line(status));
  }

 private:
  std::string Line(const absl::Status& status) const {
    std::string line = absl::StrCat("call failed: side=", base::ToAbsl(side_), " method=", Word(method_));
    if (!peer_.empty()) absl::StrAppend(&line, " peer=", Word(peer_));
    absl::StrAppend(&line, " code=", absl::StatusCodeToString(status.code()), " message=\"",
                    absl::CEscape(status.message().substr(0, kMaxMessage)), "\"",
                    absl::StrFormat(" duration_ms=%.3f", absl::ToDoubleMilliseconds(clock_() - began_)),
                    Text("sent", sent_), Text("received", received_));
    if (!traceparent_.empty()) absl::StrAppend(&line, " traceparent=", traceparent_);
    return line;
  }

  const std::string_view side_;
  const std::string method_;
  const std::string traceparent_;
  const Clock clock_;
  const absl::Duration began_;
  std::string peer_;
  MessageTraffic sent_;
  MessageTraffic received_;
};

class ClientFailureLog final : public ClientInterceptor {
 public:
  explicit ClientFailureLog(Clock clock) : clock_(std::move(clock)) {}

  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method& method, ClientContext& context) override {
    return std::make_unique<FailureObserver>("client", method.name, "",
                                             FormatTraceparent(ReadTrace(context.metadata())), clock_);
  }

 private:
  const Clock clock_;
};

class ServerFailureLog final : public ServerInterceptor {
 public:
  explicit ServerFailureLog(Clock clock) : clock_(std::move(clock)) {}

  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method&, ServerContext& context) override {
    SpanContext trace = ReadTrace(context.downstream_metadata());
    if (!trace.valid()) trace = ReadTrace(context.client_metadata());
    return std::make_unique<FailureObserver>("server", context.method(), context.peer(), FormatTraceparent(trace),
                                             clock_);
  }

 private:
  const Clock clock_;
};

}  // namespace
}  // namespace admin

std::shared_ptr<ClientInterceptor> MakeClientFailureLog(const FailureLogOptions& options) {
  return std::make_shared<admin::ClientFailureLog>(admin::OrSteadyClock(options.clock));
}

std::shared_ptr<ServerInterceptor> MakeServerFailureLog(const FailureLogOptions& options) {
  return std::make_shared<admin::ServerFailureLog>(admin::OrSteadyClock(options.clock));
}

}  // namespace pagewire
