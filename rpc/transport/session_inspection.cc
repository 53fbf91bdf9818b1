// What a session says of itself.
#include <algorithm>
#include <utility>

#include "transport/session.h"

namespace pagewire::transport {

SessionView Session::Describe() const {
  SessionView view;
  view.peer = *peer_;
  view.began = began_;
  view.ready = ready_;
  view.closing = closing_ || failing_ || closed_;
  view.digests = send_terms_.digests;
  view.send_path = options_.send_path;
  view.receive_path = options_.receive_path;
  view.zerocopy_possible = send_terms_.zerocopy_possible;
  view.splice_possible = send_terms_.splice_possible;
  view.without = send_terms_.without;
  view.whole_page_segments = send_terms_.whole_page_segments;
  view.same_host = send_terms_.same_host;
  view.peer_window = peer_settings_.window;
  view.peer_max_chunk = peer_settings_.max_chunk_length;
  view.sent_bytes = sent_bytes_;
  view.received_bytes = received_bytes_;
  view.sent_payload_bytes = sent_.window().sent();
  view.received_payload_bytes = receiver_.received_bytes();
  view.calls_begun = calls_begun_;
  view.transfers_sent = sent_.totals();
  view.transfers_received = receiver_.totals();
  view.send_credit = send_credit_.connection_available();
  view.receive_credit = receiver_.float_bytes();
  view.window_in_flight = sent_.window().in_flight();
  view.window_limit = sent_.window().limit();
  view.referenced_bytes = sent_.ledger().bytes();
  view.control_bytes_waiting = scheduler_.control().size();
  view.budget = options_.held_budget->id();
  if (stream_ == nullptr) return view;  // it is buried
  view.local = stream_->local();
  view.identity = stream_->identity();
  view.encryption = stream_->encryption();
  view.map_possible = stream_->page_paths().map;
  return view;
}

CallTraffic Session::DescribeCall(uint64_t call_id) const {
  CallTraffic traffic;
  const auto it = calls_.find(call_id);
  if (it == calls_.end()) return traffic;
  traffic.began = it->second.began;
  traffic.sent_bytes = it->second.sent_bytes + send_credit_.taken(call_id);
  traffic.received_bytes = receiver_.StartedIn(call_id);
  traffic.waiting_for_credit = send_credit_.waiting(call_id);
  return traffic;
}

std::vector<TransferView> Session::DescribeTransfers(const TransferPlace& after, absl::Time until, size_t limit) const {
  std::vector<TransferView> transfers;
  scheduler_.Describe(transfers);
  sent_.Describe(transfers);
  receiver_.Describe(transfers);
  std::erase_if(transfers, [&](const TransferView& view) { return view.place <= after || view.began > until; });
  const auto in_order = [](const TransferView& a, const TransferView& b) { return a.place < b.place; };
  const size_t count = std::min(limit, transfers.size());
  std::partial_sort(transfers.begin(), transfers.begin() + static_cast<ptrdiff_t>(count), transfers.end(), in_order);
  transfers.resize(count);
  return transfers;
}

}  // namespace pagewire::transport
