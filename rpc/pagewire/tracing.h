// Traces that go through several processes, as the W3C recommends (https://www.w3.org/TR/trace-context/): the context
// in the metadata "traceparent" and "tracestate", the spans in a tracer of your own. Link pagewire::admin.
#pragma once

#include <pagewire/interceptor.h>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace pagewire {

// Which span of which trace. A value.
struct SpanContext {
  std::array<uint8_t, 16> trace_id = {};
  std::array<uint8_t, 8> span_id = {};
  bool sampled = false;  // whoever called recorded it

  // What tracing systems hand on beside that, opaque to others: the value of "tracestate".
  std::string trace_state;

  // Neither id is all zeros.
  bool valid() const;

  friend bool operator==(const SpanContext&, const SpanContext&) = default;
};

// Reads the value of "traceparent": version 00 exactly, later versions as far as they are like it, as the
// recommendation says. Nullopt for everything else: lengths, upper case, ids of zeros, version ff.
std::optional<SpanContext> ParseTraceparent(std::string_view text);

// "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"; empty if the context is not valid.
std::string FormatTraceparent(const SpanContext& context);

enum class SpanKind {
  kInternal,  // a part of a call
  kClient,    // a call that is made
  kServer,    // a call that is served
};

// The views are valid during the call that they are passed to.
using SpanValue = std::variant<std::string_view, int64_t, double, bool>;
struct SpanAttribute {
  std::string_view key;
  SpanValue value;
};

// What one piece of work took. Used by one thread at a time.
class Span {
 public:
  virtual ~Span() = default;

  // Constant.
  virtual const SpanContext& context() const = 0;

  virtual void SetAttribute(std::string_view key, const SpanValue& value) = 0;
  virtual void AddEvent(std::string_view name, absl::Span<const SpanAttribute> attributes) = 0;

  // Last, once. What the span is for was over at `end`, a little ago.
  virtual void End(const absl::Status& status, absl::Time end) = 0;
};

// Where spans go. Thread-safe; called on threads that make and serve calls, so it must not block.
class Tracer {
 public:
  virtual ~Tracer() = default;

  // A span below `parent`, or one that begins a trace if that is not valid. What it is for began at `start`: just now,
  // or, for parts of calls, some time ago. Null: not recorded; the parent is handed on as it is.
  virtual std::unique_ptr<Span> StartSpan(std::string_view name, const SpanContext& parent, SpanKind kind,
                                          absl::Time start) = 0;
};

// Makes contexts for tracers. Thread-safe.
class SpanIds {
 public:
  SpanIds();                        // seeded by the system
  explicit SpanIds(uint64_t seed);  // the same ids each time: for tests

  // A new span of the parent's trace; of a new one, sampled or not, if the parent is not valid.
  SpanContext Below(const SpanContext& parent, bool sample_new = true);

 private:
  uint64_t Next(std::atomic<uint64_t>& state);

  std::atomic<uint64_t> high_;
  std::atomic<uint64_t> low_;
};

// For ChannelOptions::interceptors and ServerBuilder::AddInterceptor, before those that should see the trace. Each call
// is a span, named "package.Service/Method", with
//
//   the attributes  rpc.system ("pagewire"), rpc.service, rpc.method, rpc.pagewire.status_code ("OK", "UNAVAILABLE",
//                   ...), and network.peer.address as far as known
//   the events      message.sent and message.received (messages, message_bytes, payload_bytes: see CallObserver)
//
// and, for payloads of which that is known (see CallObserver::OnPayloadsSent), spans of the kind kInternal below it:
//
//   payload.send     from the announcement until the kernel had the last byte (payloads, payload_bytes, chunks)
//   payload.ack      from then on until the peer had said what it did with them (payloads, payload_bytes, mapped_bytes,
//                    copied_bytes, acks)
//   payload.receive  from the announcement until the last byte was there (payloads, payload_bytes, mapped_bytes,
//                    copied_bytes, chunks)
//
// Payloads that an observer is told of together share them.
//
// A server's span is below the one that the client's metadata names. A call that a handler makes with a context of
// ClientContext::FromServerContext belongs to the trace of the call it serves, also without an interceptor at the
// channel. A client's span is below what its context's metadata names: that, or what the caller has added.
// "traceparent" or a combined "tracestate" that breaks the recommendation's rules, or stands there twice, counts as
// absent.
//
// A null tracer gives null, which channels and builders refuse.
std::shared_ptr<ClientInterceptor> MakeClientTracing(std::shared_ptr<Tracer> tracer);
std::shared_ptr<ServerInterceptor> MakeServerTracing(std::shared_ptr<Tracer> tracer);

}  // namespace pagewire
