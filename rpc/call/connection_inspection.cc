// What connections say of themselves and of their calls.
#include <algorithm>
#include <utility>

#include "call/client_connection.h"
#include "call/server_connection.h"

namespace pagewire::call {
namespace {

// The first `limit` ids that are above `after`, in order.
std::vector<uint64_t> FirstOf(std::vector<uint64_t> ids, uint64_t after, size_t limit) {
  std::erase_if(ids, [after](uint64_t id) { return id <= after; });
  const size_t count = std::min(limit, ids.size());
  std::partial_sort(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count), ids.end());
  ids.resize(count);
  return ids;
}

}  // namespace

bool ServerConnection::Describe(ConnectionView& view) const {
  view.session = session_->Describe();
  view.owner = owner_;
  view.state = view.session->closing ? ConnectionView::State::kClosing
               : draining_           ? ConnectionView::State::kDraining
               : ready_              ? ConnectionView::State::kReady
                                     : ConnectionView::State::kConnecting;
  view.failure = drain_reason_;
  view.idle = idle_.idle();
  view.calls_open = calls_.size();
  session_->VisitAnswered([&](uint64_t id, std::string_view) { view.calls_open += calls_.contains(id) ? 0 : 1; });
  if (view.calls_open > 0) view.idle.reset();  // an answer is on its way
  return true;
}

void ServerConnection::DescribeCalls(uint64_t after, absl::Time until, size_t limit,
                                     std::vector<CallView>& calls) const {
  std::vector<uint64_t> ids;
  for (const auto& [id, call] : calls_) {
    if (call->began() <= until) ids.push_back(id);
  }
  session_->VisitAnswered([&](uint64_t id, std::string_view) {
    if (!calls_.contains(id) && session_->DescribeCall(id).began <= until) ids.push_back(id);
  });
  for (const uint64_t id : FirstOf(std::move(ids), after, limit)) {
    CallView& view = calls.emplace_back();
    view.place.call = id;
    view.traffic = session_->DescribeCall(id);
    if (const auto call = calls_.find(id); call != calls_.end()) {
      call->second->Describe(view);
    } else {
      view.began = view.traffic.began;
      view.method = *session_->MethodOfAnswered(id);
      view.peer = session_->peer();
      view.phase = CallView::Phase::kAnswered;
    }
  }
}

void ServerConnection::DescribeTransfers(const transport::TransferPlace& after, absl::Time until, size_t limit,
                                         std::vector<TransferOfCall>& transfers) const {
  for (const transport::TransferView& transfer : session_->DescribeTransfers(after, until, limit)) {
    TransferOfCall& view = transfers.emplace_back();
    const auto call = calls_.find(transfer.call_id);
    const std::string_view* const answered = session_->MethodOfAnswered(transfer.call_id);
    if (call != calls_.end()) {
      view.method = std::string(call->second->method_name());
    } else if (answered != nullptr) {
      view.method = *answered;
    }
    view.peer = session_->peer();
    view.transfer = transfer;
  }
}

bool ClientConnection::Describe(ConnectionView& view) const {
  view.session = session_->Describe();
  view.client = true;
  view.owner = owner_;
  view.target = target_;
  view.state = view.session->closing ? ConnectionView::State::kClosing
               : draining_           ? ConnectionView::State::kDraining
               : ready()             ? ConnectionView::State::kReady
                                     : ConnectionView::State::kConnecting;
  view.failure = drain_reason_;
  view.idle = idle_.idle();
  for (const auto& [id, call] : calls_) view.calls_open += call->finished() ? 0 : 1;
  for (const auto& call : early_) view.calls_waiting += call->finished() ? 0 : 1;
  return true;
}

void ClientConnection::DescribeCalls(uint64_t after, absl::Time until, size_t limit,
                                     std::vector<CallView>& calls) const {
  std::vector<uint64_t> ids;
  for (const auto& [id, call] : calls_) {
    if (!call->finished() && call->began() <= until) ids.push_back(id);
  }
  const size_t before = calls.size();
  for (const uint64_t id : FirstOf(std::move(ids), after, limit)) {
    CallView& view = calls.emplace_back();
    calls_.at(id)->Describe(view);
    view.place.call = id;
    view.traffic = session_->DescribeCall(id);
  }
  for (const auto& call : early_) {  // by their numbers, which are above all ids
    if (calls.size() - before >= limit) return;
    if (call->finished() || call->waiting_number() <= after || call->began() > until) continue;
    CallView& view = calls.emplace_back();
    call->Describe(view);
    view.place.call = call->waiting_number();
  }
}

void ClientConnection::DescribeTransfers(const transport::TransferPlace& after, absl::Time until, size_t limit,
                                         std::vector<TransferOfCall>& transfers) const {
  for (const transport::TransferView& transfer : session_->DescribeTransfers(after, until, limit)) {
    TransferOfCall& view = transfers.emplace_back();
    if (const auto call = calls_.find(transfer.call_id); call != calls_.end())
      view.method = std::string(call->second->method());
    view.peer = session_->peer();
    view.transfer = transfer;
  }
}

}  // namespace pagewire::call
