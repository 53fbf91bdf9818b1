#include <pagewire/server_context.h>

#include <utility>

#include "call/server_call_state.h"

namespace pagewire {
ServerContext::ServerContext(std::shared_ptr<internal::ServerCallState> state) : state_(std::move(state)) {}

ServerContext::~ServerContext() = default;

std::string_view ServerContext::method() const { return state_->method; }

const Metadata& ServerContext::client_metadata() const { return state_->client_metadata; }

absl::Time ServerContext::deadline() const { return state_->deadline; }

bool ServerContext::IsCancelled() const { return state_->cancelled(); }

void ServerContext::OnCancelled(absl::AnyInvocable<void()> callback) { state_->OnCancelled(std::move(callback)); }

void ServerContext::AddInitialMetadata(std::string_view key, std::string_view value) {
  state_->AddInitialMetadata(key, value);
}

void ServerContext::AddTrailingMetadata(std::string_view key, std::string_view value) {
  state_->AddTrailingMetadata(key, value);
}

void ServerContext::AddDownstreamMetadata(std::string_view key, std::string_view value) {
  state_->AddDownstreamMetadata(key, value);
}

Metadata ServerContext::downstream_metadata() const { return state_->DownstreamMetadata(); }

const std::string& ServerContext::peer() const {
  static const std::string* const kNone = new std::string();
  return state_->peer == nullptr ? *kNone : *state_->peer;
}

const PeerIdentity& ServerContext::peer_identity() const { return *state_->peer_identity; }

const CallTransferReport& ServerContext::transfer_report() const { return state_->transfers.Get(); }

}  // namespace pagewire
