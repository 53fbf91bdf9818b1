#include <absl/time/clock.h>
#include <pagewire/client_context.h>
#include <pagewire/server_context.h>
#include <pagewire/tracing.h>

#include <initializer_list>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "admin/trace_metadata.h"

namespace pagewire {
namespace admin {
namespace {

int64_t Number(uint64_t value) { return static_cast<int64_t>(value); }

class TracingObserver final : public CallObserver {
 public:
  TracingObserver(std::shared_ptr<Tracer> tracer, std::unique_ptr<Span> span)
      : tracer_(std::move(tracer)), span_(std::move(span)) {}

  void OnSent(const MessageTraffic& traffic) override { AddMessages("message.sent", traffic); }
  void OnReceived(const MessageTraffic& traffic) override { AddMessages("message.received", traffic); }
  void OnPayloadsSent(const TransferTotals& totals) override {
    AddPart("payload.send", totals, totals.began, totals.finished, {{"chunks", Number(totals.chunks)}});
    AddPart("payload.ack", totals, totals.finished, totals.acknowledged,
            {{"mapped_bytes", Number(totals.mapped_bytes)},
             {"copied_bytes", Number(Copied(totals))},
             {"acks", Number(totals.acks)}});
  }
  void OnPayloadsReceived(const TransferTotals& totals) override {
    AddPart("payload.receive", totals, totals.began, totals.finished,
            {{"mapped_bytes", Number(totals.mapped_bytes)},
             {"copied_bytes", Number(Copied(totals))},
             {"chunks", Number(totals.chunks)}});
  }
  void OnPeer(std::string_view peer) override { span_->SetAttribute("network.peer.address", peer); }
  void OnEnd(const absl::Status& status) override {
    const std::string code = absl::StatusCodeToString(status.code());
    span_->SetAttribute("rpc.pagewire.status_code", std::string_view(code));
    span_->End(status, absl::Now());
  }

 private:
  void AddMessages(std::string_view event, const MessageTraffic& traffic) {
    span_->AddEvent(event, {{"messages", Number(traffic.messages)},
                            {"message_bytes", Number(traffic.message_bytes)},
                            {"payload_bytes", Number(traffic.payload_bytes)}});
  }
  static uint64_t Copied(const TransferTotals& totals) {
    return std::accumulate(totals.copied_bytes.begin(), totals.copied_bytes.end(), uint64_t{0});
  }
  // A payload that was given up midway has no end: the last of the others', or none.
  void AddPart(std::string_view name, const TransferTotals& totals, absl::Time start, absl::Time end,
               std::initializer_list<SpanAttribute> attributes) {
    if (end < start) return;
    const std::unique_ptr<Span> part = tracer_->StartSpan(name, span_->context(), SpanKind::kInternal, start);
    if (part == nullptr) return;
    part->SetAttribute("payloads", Number(totals.payloads));
    part->SetAttribute("payload_bytes", Number(totals.payload_bytes));
    for (const SpanAttribute& attribute : attributes) part->SetAttribute(attribute.key, attribute.value);
    part->End(absl::OkStatus(), end);
  }

  const std::shared_ptr<Tracer> tracer_;
  const std::unique_ptr<Span> span_;
};

// Null when the tracer does not record the call.
std::unique_ptr<Span> StartCallSpan(Tracer& tracer, std::string_view method, const SpanContext& parent, SpanKind kind) {
  const std::string_view name = method.substr(method.substr(0, 1) == "/" ? 1 : 0);
  std::unique_ptr<Span> span = tracer.StartSpan(name, parent, kind, absl::Now());
  if (span == nullptr) return nullptr;
  span->SetAttribute("rpc.system", std::string_view("pagewire"));
  const size_t slash = name.rfind('/');
  if (slash != name.npos) span->SetAttribute("rpc.service", name.substr(0, slash));
  span->SetAttribute("rpc.method", name.substr(slash + 1));  // npos + 1 is 0
  return span;
}

class ClientTracing final : public ClientInterceptor {
 public:
  explicit ClientTracing(std::shared_ptr<Tracer> tracer) : tracer_(std::move(tracer)) {}

  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method& method, ClientContext& context) override {
    std::unique_ptr<Span> span = StartCallSpan(*tracer_, method.name, ReadTrace(context.metadata()), SpanKind::kClient);
    if (span == nullptr) return nullptr;
    WriteTrace(span->context(), context);
    return std::make_unique<TracingObserver>(tracer_, std::move(span));
  }

 private:
  static void WriteTrace(const SpanContext& trace, ClientContext& context) {
    if (!trace.valid()) return;
    context.RemoveMetadata(kTraceparent);
    context.RemoveMetadata(kTracestate);
    context.AddMetadata(kTraceparent, FormatTraceparent(trace));
    if (!trace.trace_state.empty()) context.AddMetadata(kTracestate, trace.trace_state);
  }

  const std::shared_ptr<Tracer> tracer_;
};

class ServerTracing final : public ServerInterceptor {
 public:
  explicit ServerTracing(std::shared_ptr<Tracer> tracer) : tracer_(std::move(tracer)) {}

  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method& method, ServerContext& context) override {
    const SpanContext parent = ReadTrace(context.client_metadata());
    std::unique_ptr<Span> span = StartCallSpan(*tracer_, method.name, parent, SpanKind::kServer);
    HandOn(span != nullptr ? span->context() : parent, context);
    if (span == nullptr) return nullptr;
    span->SetAttribute("network.peer.address", std::string_view(context.peer()));
    return std::make_unique<TracingObserver>(tracer_, std::move(span));
  }

 private:
  static void HandOn(const SpanContext& trace, ServerContext& context) {
    if (!trace.valid()) return;
    context.AddDownstreamMetadata(kTraceparent, FormatTraceparent(trace));
    if (!trace.trace_state.empty()) context.AddDownstreamMetadata(kTracestate, trace.trace_state);
  }

  const std::shared_ptr<Tracer> tracer_;
};

}  // namespace
}  // namespace admin

std::shared_ptr<ClientInterceptor> MakeClientTracing(std::shared_ptr<Tracer> tracer) {
  if (tracer == nullptr) return nullptr;
  return std::make_shared<admin::ClientTracing>(std::move(tracer));
}

std::shared_ptr<ServerInterceptor> MakeServerTracing(std::shared_ptr<Tracer> tracer) {
  if (tracer == nullptr) return nullptr;
  return std::make_shared<admin::ServerTracing>(std::move(tracer));
}

}  // namespace pagewire
