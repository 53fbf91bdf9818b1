#include "call/server_connection.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <pagewire/internal/block_pool.h>
#include <pagewire/log.h>

#include <algorithm>
#include <utility>

#include "base/log_quota.h"
#include "base/status.h"
#include "base/string_view.h"
#include "call/wire_status.h"
#include "wire/metadata.h"

namespace pagewire::call {
namespace {

// Who connects and is refused before a call: a wrong protocol, a certificate. Nobody else would tell the server's
// owner.
void LogRefusal(const std::string& peer, const absl::Status& status) {
  constexpr int kLinesPerSecond = 10;
  static base::LogQuota& quota = *new base::LogQuota(kLinesPerSecond);
  uint64_t suppressed = 0;
  if (!quota.Take(absl::Now(), suppressed)) return;
  const std::string more = suppressed == 0 ? "" : absl::StrCat(" (", suppressed, " lines like this one were left out)");
  Log(LogSeverity::kInfo,
      base::ToStd(absl::StrCat("the connection from ", peer, " was refused: ", status.message(), more)));
}

}  // namespace

ServerConnection::ServerConnection(transport::Loop& loop, std::unique_ptr<transport::ByteStream> stream,
                                   const HandlerTable& handlers, transport::SessionOptions options,
                                   absl::AnyInvocable<void()> on_closed)
    : loop_(loop),
      handlers_(handlers),
      max_metadata_bytes_(options.max_metadata_bytes),
      max_concurrent_calls_(options.max_concurrent_calls),
      owner_(options.owner),
      on_closed_(std::move(on_closed)),
      idle_(loop, options.idle_timeout,
            [this, timeout = options.idle_timeout] {
              DrainBecause(absl::StrCat("the connection had no calls for ", absl::FormatDuration(timeout)));
            }),
      session_(transport::Session::Create(loop, std::move(stream), *this, std::move(options))),
      listed_(ListedConnection::Make(loop, *this)) {}

ServerConnection::~ServerConnection() {
  if (!closed_) listed_->Close(absl::OkStatus());
}

void ServerConnection::Start() {
  session_->Start();
  idle_.SetIdle();
}

void ServerConnection::Drain() { DrainBecause("the server is shutting down"); }

void ServerConnection::DrainBecause(std::string reason) {
  if (closed_ || draining_) return;
  draining_ = true;
  drain_reason_ = std::move(reason);
  session_->SendGoAway(absl::UnavailableError(drain_reason_));
  CloseIfDrained();
}

void ServerConnection::Stop(absl::Duration patience) {
  if (closed_) return;
  stopping_ = true;
  Drain();
  for (auto& [id, call] : calls_) {
    call->End(absl::UnavailableError(absl::StrCat(call->method_name(), ": the server is shutting down")),
              !call->running());
  }
  session_->Close(patience);
}

ServerCall* ServerConnection::Find(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  return it == calls_.end() ? nullptr : it->second.get();
}

void ServerConnection::Refuse(uint64_t call_id, const absl::Status& status) {
  session_->DiscardIncoming(call_id);
  wire::v1::CallStatus body;
  body.set_call_id(call_id);
  WriteStatus(status, body);
  body.set_not_started(true);
  session_->SendStatus(std::move(body));
}

void ServerConnection::OnReady() { ready_ = true; }

void ServerConnection::OnCallStart(wire::v1::CallStart&& start) {
  const uint64_t id = start.call_id();
  if (draining_) return Refuse(id, absl::UnavailableError(absl::StrCat(start.method(), ": ", drain_reason_)));
  if (calls_.size() >= max_concurrent_calls_) {
    return Refuse(id, absl::ResourceExhaustedError(absl::StrCat(
                          start.method(), ": ", calls_.size(),
                          " calls are in flight on this connection, which is the "
                          "limit; raise ServerBuilder::SetMaxConcurrentCallsPerConnection or use more channels")));
  }
  absl::Status unknown;
  const Method* method = handlers_.Find(start.method(), unknown);
  if (method == nullptr) return Refuse(id, unknown);
  const MethodTerms* terms = handlers_.TermsOf(start.method());
  const uint64_t max_metadata_bytes = terms != nullptr ? terms->max_metadata_bytes : max_metadata_bytes_;
  if (absl::Status status = wire::ValidateReceivedMetadata(start.metadata(), max_metadata_bytes); !status.ok()) {
    return Refuse(id, base::Annotate(status, start.method()));
  }
  if (start.has_timeout_us() && start.timeout_us() == 0) {
    return Refuse(id, absl::DeadlineExceededError(
                          absl::StrCat(start.method(), ": the deadline had passed when the call arrived")));
  }
  absl::StatusOr<Place> place = handlers_.Admit(start.method(), calls_.size());
  if (!place.ok()) return Refuse(id, place.status());
  if (terms != nullptr) session_->LimitCall(id, terms->items);

  auto state = internal::MakeShared<internal::ServerCallState>();
  state->method = method->name;
  if (state->method != start.method()) state->method = state->name = start.method();
  state->peer = session_->shared_peer();
  if (peer_identity_ == nullptr) peer_identity_ = std::make_shared<const PeerIdentity>(session_->peer_identity());
  state->peer_identity = peer_identity_;
  state->services = handlers_.ServiceNames();
  if (start.metadata_size() > 0) state->client_metadata = ReadMetadata(start.metadata());
  if (start.has_timeout_us()) {
    // A peer's number: bounded so that no arithmetic on it can overflow. A century is as good as no deadline.
    constexpr uint64_t kLongestUs = 100ull * 365 * 24 * 3600 * 1'000'000;
    state->deadline = absl::Now() + absl::Microseconds(std::min(start.timeout_us(), kLongestUs));
  }
  const std::shared_ptr<ServerCall> call =
      MakeServerCall(loop_, *session_, *method, std::move(state), id, max_metadata_bytes);
  call->KeepPlace(*std::move(place));
  calls_.emplace(id, call);
  idle_.SetBusy();
  call->ArmDeadline([this, id] { EraseIfDone(id); });
  if (call->RunsAtOnce()) Run(id, *call);
}

void ServerConnection::OnInitialMetadata(uint64_t, wire::v1::MessagePart&&) {}  // only servers send it

void ServerConnection::OnMessage(uint64_t call_id, transport::IncomingMessage message) {
  ServerCall* call = Find(call_id);
  if (call == nullptr) return;
  if (call->OnMessage(std::move(message))) return Run(call_id, *call);
  EraseIfDone(call_id);
}

void ServerConnection::OnHalfClose(uint64_t call_id) {
  ServerCall* call = Find(call_id);
  if (call == nullptr) return;
  if (call->OnHalfClose()) return Run(call_id, *call);
  EraseIfDone(call_id);
}

void ServerConnection::OnPayload(uint64_t call_id, absl::StatusOr<Payload> payload, const TransferReport& report,
                                 transport::Unread unread) {
  ServerCall* call = Find(call_id);
  if (call == nullptr) return;
  if (call->OnPayload(std::move(payload), report, std::move(unread))) return Run(call_id, *call);
  EraseIfDone(call_id);
}

void ServerConnection::OnRefused(uint64_t call_id, absl::Status status) {
  ServerCall* call = Find(call_id);
  if (call == nullptr) return;
  call->End(base::Annotate(status, base::ToStd(call->method_name())), /*not_started=*/!call->running());
  EraseIfDone(call_id);
}

void ServerConnection::OnItemSent(uint64_t call_id, uint64_t bytes) {
  if (ServerCall* call = Find(call_id)) call->OnItemSent(bytes);
}

void ServerConnection::OnSent(uint64_t, const TransferReport&) {}

void ServerConnection::OnReceipt(uint64_t call_id, const TransferReport& report) {
  if (ServerCall* call = Find(call_id)) call->OnReceipt(report);
}

void ServerConnection::OnCancel(wire::v1::Cancel&& cancel) {
  ServerCall* call = Find(cancel.call_id());
  if (call == nullptr) return;
  call->End(absl::CancelledError(absl::StrCat(call->method_name(), ": cancelled by the client")), !call->running());
  EraseIfDone(cancel.call_id());
}

void ServerConnection::OnStatus(wire::v1::CallStatus&&) {}  // the session refuses statuses from clients

void ServerConnection::OnGoAway(const wire::v1::GoAway&) {}

bool ServerConnection::MayRefuse(uint64_t call_id) {
  const ServerCall* call = Find(call_id);
  return call != nullptr && !call->running();
}

std::string_view ServerConnection::HolderOf(uint64_t call_id) {
  const ServerCall* call = Find(call_id);
  return call == nullptr ? "a finished call" : base::ToStd(call->method_name());
}

void ServerConnection::Run(uint64_t call_id, ServerCall& call) {
  call.Run(handlers_, internal::Box([self = weak_from_this(), listed = listed_, &loop = loop_,
                                     call_id](absl::StatusOr<internal::RawMessage> reply) mutable {
             loop.Post(internal::Box(
                 [self = std::move(self), listed = std::move(listed), call_id, reply = std::move(reply)]() mutable {
                   listed->OnHandlerDone(call_id);
                   if (const auto connection = self.lock()) connection->OnHandlerDone(call_id, std::move(reply));
                 }));
           }));
}

void ServerConnection::OnHandlerDone(uint64_t call_id, absl::StatusOr<internal::RawMessage> reply) {
  ServerCall* call = Find(call_id);
  if (call == nullptr) return;
  call->OnHandlerReturned(std::move(reply));
  EraseIfDone(call_id);
}

void ServerConnection::EraseIfDone(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it == calls_.end() || !it->second->done()) return;
  calls_.erase(it);
  if (calls_.empty()) idle_.SetIdle();
  CloseIfDrained();
}

// The last answers may be large and are sent to their ends, unless Stop comes.
void ServerConnection::CloseIfDrained() {
  if (draining_ && !stopping_ && calls_.empty() && !closed_) session_->Close(absl::InfiniteDuration());
}

void ServerConnection::OnClosed(absl::Status status) {
  closed_ = true;
  listed_->Close(status);
  if (!ready_ && !status.ok()) LogRefusal(session_->peer(), status);
  for (auto& [id, call] : std::exchange(calls_, {})) call->Drop();
  std::exchange(on_closed_, nullptr)();
}

}  // namespace pagewire::call
