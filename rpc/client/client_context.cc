#include <pagewire/client_context.h>
#include <pagewire/executor.h>
#include <pagewire/internal/block_pool.h>

#include <algorithm>
#include <utility>

#include "call/server_call_state.h"
#include "client/client_call_state.h"
#include "wire/metadata.h"

namespace pagewire {

ClientContext::ClientContext() : state_(internal::MakeShared<internal::ClientCallState>()) {}

ClientContext::~ClientContext() {
  state_->Unlink();
  state_->Cancel();
}

std::unique_ptr<ClientContext> ClientContext::FromServerContext(const ServerContext& context) {
  auto child = std::make_unique<ClientContext>();
  const std::shared_ptr<internal::ServerCallState>& parent = internal::ServerContextAccess::State(context);
  child->state_->LinkTo(parent);
  for (const auto& [key, value] : parent->DownstreamMetadata()) child->AddMetadata(key, value);
  return child;
}

void ClientContext::set_deadline(absl::Time deadline) {
  state_->deadline = std::min(deadline, state_->latest_deadline);
}

void ClientContext::set_timeout(absl::Duration timeout) { set_deadline(absl::Now() + timeout); }

absl::Time ClientContext::deadline() const { return state_->deadline; }

void ClientContext::AddMetadata(std::string_view key, std::string_view value) {
  if (absl::Status status = wire::ValidateUserMetadata(key, value); !status.ok() && state_->metadata_error.ok()) {
    state_->metadata_error = std::move(status);
  }
  state_->metadata.emplace(key, value);
}

void ClientContext::RemoveMetadata(std::string_view key) {
  const auto [first, last] = state_->metadata.equal_range(key);
  state_->metadata.erase(first, last);
}

const Metadata& ClientContext::metadata() const { return state_->metadata; }

void ClientContext::set_credentials(std::shared_ptr<CallCredentials> credentials) {
  state_->credentials = std::move(credentials);
}

namespace {

// User code runs on the executor, never inside what happened.
transport::PeerEvent OnExecutor(absl::AnyInvocable<void(bool)> callback) {
  return transport::PeerEvent([callback = std::move(callback)](bool happened) mutable {
    DefaultExecutor().Run([callback = std::move(callback), happened]() mutable { std::move(callback)(happened); });
  });
}

}  // namespace

void ClientContext::OnPeerReceived(absl::AnyInvocable<void(bool)> callback) {
  state_->payload_events.received = OnExecutor(std::move(callback));
}

void ClientContext::OnPeerReleased(absl::AnyInvocable<void(bool)> callback) {
  state_->payload_events.released = OnExecutor(std::move(callback));
}

void ClientContext::set_wait_for_ready(bool wait_for_ready) {
  state_->wait_for_ready = wait_for_ready;
  state_->wait_for_ready_set = true;
}

void ClientContext::TryCancel() { state_->Cancel(); }

void ClientContext::CancelOn(std::stop_token token) { state_->CancelOn(std::move(token)); }

const Metadata& ClientContext::GetServerInitialMetadata() const { return state_->initial_metadata; }

const Metadata& ClientContext::GetServerTrailingMetadata() const { return state_->trailing_metadata; }

const CallTransferReport& ClientContext::transfer_report() const { return state_->transfers.Get(); }

const std::string& ClientContext::peer() const {
  static const std::string* const kNone = new std::string();
  return state_->peer == nullptr ? *kNone : *state_->peer;
}

bool ClientContext::not_started() const { return state_->not_started; }

}  // namespace pagewire
