#include "call/listed_connection.h"

#include <limits>
#include <string>
#include <utility>

namespace pagewire::call {

std::shared_ptr<ListedConnection> ListedConnection::Make(transport::Loop& loop, const Inspected& open) {
  std::shared_ptr<ListedConnection> listed(new ListedConnection(open));
  listed->listing_.emplace(&loop, listed);
  return listed;
}

void ListedConnection::Close(const absl::Status& reason) {
  std::vector<CallView> calls;
  open_->DescribeCalls(0, absl::InfiniteFuture(), std::numeric_limits<size_t>::max(), calls);
  for (CallView& call : calls) {
    if (call.phase != CallView::Phase::kRunning && call.phase != CallView::Phase::kEnded) continue;
    call.phase = CallView::Phase::kEnded;
    running_.emplace(call.place.call, std::move(call));
  }
  const Inspected& ended = *std::exchange(open_, nullptr);
  if (running_.empty()) return;
  last_ = std::make_unique<ConnectionView>();
  ended.Describe(*last_);
  last_->state = ConnectionView::State::kClosed;
  last_->idle.reset();
  if (!reason.ok()) last_->failure = std::string(reason.message());
}

bool ListedConnection::Describe(ConnectionView& view) const {
  if (open_ != nullptr) return open_->Describe(view);
  if (running_.empty()) return false;
  view = *last_;
  view.calls_open = running_.size();
  return true;
}

void ListedConnection::DescribeCalls(uint64_t after, absl::Time until, size_t limit,
                                     std::vector<CallView>& calls) const {
  if (open_ != nullptr) return open_->DescribeCalls(after, until, limit, calls);
  const size_t before = calls.size();
  for (auto it = running_.upper_bound(after); it != running_.end() && calls.size() - before < limit; ++it) {
    if (it->second.began <= until) calls.push_back(it->second);
  }
}

void ListedConnection::DescribeTransfers(const transport::TransferPlace& after, absl::Time until, size_t limit,
                                         std::vector<TransferOfCall>& transfers) const {
  if (open_ != nullptr) open_->DescribeTransfers(after, until, limit, transfers);
}

}  // namespace pagewire::call
