#include "call/client_connection.h"

#include <absl/strings/str_cat.h>

#include <utility>
#include <vector>

#include "base/status.h"
#include "base/string_view.h"

namespace pagewire::call {

ClientConnection::ClientConnection(transport::Loop& loop, std::unique_ptr<transport::ByteStream> stream,
                                   Observer& observer, transport::SessionOptions options)
    : observer_(observer),
      idle_(loop, options.idle_timeout, [this] { observer_.OnConnectionIdle(); }),
      session_(transport::Session::Create(loop, std::move(stream), *this, options)),
      owner_(options.owner),
      target_(std::move(options.target)),
      listing_(loop, *this) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::Start() {
  session_->Start();
  idle_.SetIdle();
}

void ClientConnection::Send(std::shared_ptr<ClientCall> call) {
  idle_.SetBusy();
  if (!ready() && !call->Fits(*session_)) {
    call->set_waiting_number(kFirstWaitingCall + ++last_early_);
    return early_.push_back(std::move(call));
  }
  if (const uint64_t id = call->SendOn(*session_, start_); id != 0) calls_.emplace(id, std::move(call));
  if (start_.metadata_size() > 0) start_ = wire::v1::CallStart();  // which may be large
  SetIdleIfWithoutCalls();
}

void ClientConnection::SetIdleIfWithoutCalls() {
  if (calls() == 0) idle_.SetIdle();
}

void ClientConnection::Close(const absl::Status& status) {
  FinishEarly(status);
  for (auto& [id, call] : calls_) call->Cancel(base::CloneStatus(status));
  session_->Close(absl::ZeroDuration());
}

ClientCall* ClientConnection::Find(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  return it == calls_.end() ? nullptr : it->second.get();
}

void ClientConnection::OnReady() {
  for (std::shared_ptr<ClientCall>& call : std::exchange(early_, {})) {
    if (!call->finished()) Send(std::move(call));
  }
  SetIdleIfWithoutCalls();
  observer_.OnConnectionReady();
}

void ClientConnection::FinishEarly(const absl::Status& status) {
  for (const auto& call : std::exchange(early_, {})) call->Finish(status, /*not_started=*/true);
}

void ClientConnection::OnCallStart(wire::v1::CallStart&&) {}  // the session refuses calls from servers

void ClientConnection::OnInitialMetadata(uint64_t call_id, wire::v1::MessagePart&& part) {
  if (ClientCall* call = Find(call_id)) call->OnInitialMetadata(std::move(part));
}

void ClientConnection::OnMessage(uint64_t call_id, transport::IncomingMessage message) {
  if (ClientCall* call = Find(call_id)) call->OnMessage(std::move(message));
}

void ClientConnection::OnHalfClose(uint64_t) {}  // the status says what it means

void ClientConnection::OnPayload(uint64_t call_id, absl::StatusOr<Payload> payload, const TransferReport& report,
                                 transport::Unread unread) {
  if (ClientCall* call = Find(call_id)) call->OnPayload(std::move(payload), report, std::move(unread));
}

void ClientConnection::OnRefused(uint64_t call_id, absl::Status status) {
  if (ClientCall* call = Find(call_id)) call->Cancel(base::Annotate(status, base::ToStd(call->method())));
}

void ClientConnection::OnItemSent(uint64_t call_id, uint64_t bytes) {
  if (ClientCall* call = Find(call_id)) call->OnItemSent(bytes);
}

void ClientConnection::OnSent(uint64_t call_id, const TransferReport& report) {
  if (ClientCall* call = Find(call_id)) call->OnSent(report);
}

void ClientConnection::OnReceipt(uint64_t call_id, const TransferReport& report) {
  if (ClientCall* call = Find(call_id)) call->OnReceipt(report);
}

void ClientConnection::OnCancel(wire::v1::Cancel&&) {}  // the session refuses cancellations by servers

void ClientConnection::OnStatus(wire::v1::CallStatus&& status) {
  const auto it = calls_.find(status.call_id());
  if (it == calls_.end()) return;
  const std::shared_ptr<ClientCall> call = std::move(it->second);
  calls_.erase(it);
  call->OnStatus(std::move(status));
  SetIdleIfWithoutCalls();
}

void ClientConnection::OnGoAway(const wire::v1::GoAway& go_away) {
  draining_ = true;
  drain_reason_ = go_away.message();
  observer_.OnConnectionDraining(go_away.code() == 0 ? absl::OkStatus() : absl::UnavailableError(go_away.message()));
  std::vector<std::shared_ptr<ClientCall>> refused;
  for (auto it = calls_.begin(); it != calls_.end();) {
    const auto current = it++;
    if (current->first <= go_away.last_call_id()) continue;
    session_->StopSending(current->first);
    refused.push_back(std::move(current->second));
    calls_.erase(current);
  }
  for (const auto& call : refused) {
    call->Finish(
        absl::UnavailableError(absl::StrCat(call->method(), ": the server takes no more calls: ", go_away.message())),
        /*not_started=*/true);
  }
}

bool ClientConnection::MayRefuse(uint64_t) {
  return false;  // responses are what calls are made for
}

std::string_view ClientConnection::HolderOf(uint64_t call_id) {
  const ClientCall* call = Find(call_id);
  return call == nullptr ? "a finished call" : base::ToStd(call->method());
}

void ClientConnection::OnClosed(absl::Status status) {
  FinishEarly(absl::UnavailableError(absl::StrCat("connection to ", session_->peer(), " lost: ", status.message())));
  const auto calls = std::exchange(calls_, {});
  for (const auto& [id, call] : calls) call->OnConnectionLost(status, /*not_started=*/!session_->sent_anything());
  observer_.OnConnectionClosed(status);
}

}  // namespace pagewire::call
