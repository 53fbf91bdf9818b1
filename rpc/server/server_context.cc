#include <pagewire/server_context.h>

#include <utility>

#include "base/status.h"
#include "call/server_call_state.h"
#include "wire/metadata.h"

namespace pagewire {
namespace {

void Add(std::string_view key, std::string_view value, Metadata& metadata, absl::Status& error) {
  absl::Status status = wire::ValidateUserMetadata(key, value);
  if (status.ok()) {
    metadata.emplace(key, value);
  } else if (error.ok()) {
    error = absl::Status(absl::StatusCode::kInternal, status.message());
  }
}

}  // namespace

ServerContext::ServerContext(std::shared_ptr<internal::ServerCallState> state) : state_(std::move(state)) {}

ServerContext::~ServerContext() = default;

std::string_view ServerContext::method() const { return state_->method; }

const Metadata& ServerContext::client_metadata() const { return state_->client_metadata; }

absl::Time ServerContext::deadline() const { return state_->deadline; }

bool ServerContext::IsCancelled() const { return state_->cancelled(); }

void ServerContext::OnCancelled(absl::AnyInvocable<void()> callback) { state_->OnCancelled(std::move(callback)); }

void ServerContext::AddInitialMetadata(std::string_view key, std::string_view value) {
  if (state_->initial_metadata_sent && state_->metadata_error.ok()) {
    state_->metadata_error = absl::InternalError("initial metadata was added after it had been sent");
  }
  Add(key, value, state_->initial_metadata, state_->metadata_error);
}

void ServerContext::AddTrailingMetadata(std::string_view key, std::string_view value) {
  Add(key, value, state_->trailing_metadata, state_->metadata_error);
}

const std::string& ServerContext::peer() const { return state_->peer; }

const CallTransferReport& ServerContext::transfer_report() const { return state_->transfers; }

}  // namespace pagewire
