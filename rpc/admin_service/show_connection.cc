#include "admin_service/show_connection.h"

#include <algorithm>
#include <string>
#include <vector>

#include "admin_service/show_call.h"
#include "admin_service/shown_text.h"

namespace pagewire::admin_service {
namespace {

using admin::v1::Connection;

// Names of a certificate that are shown.
constexpr size_t kMaxNames = 16;

Connection::State StateOf(call::ConnectionView::State state) {
  using State = call::ConnectionView::State;
  switch (state) {
    case State::kConnecting:
      return Connection::STATE_CONNECTING;
    case State::kReady:
      return Connection::STATE_READY;
    case State::kDraining:
      return Connection::STATE_DRAINING;
    case State::kClosing:
      return Connection::STATE_CLOSING;
    case State::kClosed:
      return Connection::STATE_CLOSED;
    case State::kTransientFailure:
      return Connection::STATE_TRANSIENT_FAILURE;
  }
  return Connection::STATE_UNSPECIFIED;
}

void Fill(const PeerIdentity& from, admin::v1::Identity& identity) {
  identity.set_encrypted(from.encrypted);
  identity.set_common_name(Shown(from.common_name));
  identity.set_certificate_fingerprint(from.certificate_fingerprint);
  for (size_t i = 0; i < std::min(from.dns_names.size(), kMaxNames); ++i)
    identity.add_dns_names(Shown(from.dns_names[i]));
  for (size_t i = 0; i < std::min(from.uris.size(), kMaxNames); ++i) identity.add_uris(Shown(from.uris[i]));
  if (!from.process.has_value()) return;
  identity.mutable_process()->set_pid(from.process->pid);
  identity.mutable_process()->set_uid(from.process->uid);
  identity.mutable_process()->set_gid(from.process->gid);
}

void Fill(const TransferTotals& from, admin::v1::Totals& totals) {
  totals.set_payloads(from.payloads);
  totals.set_payload_bytes(from.payload_bytes);
  totals.set_mapped_bytes(from.mapped_bytes);
  totals.set_chunks(from.chunks);
  for (int send = 0; send < kSendPathCount; ++send) {
    for (int receive = 0; receive < kReceivePathCount; ++receive) {
      const uint64_t payloads = from.payloads_by_path[send][receive];
      if (payloads == 0) continue;
      admin::v1::Totals::Path& path = *totals.add_paths();
      path.set_send(std::string(SendPathName(static_cast<SendPath>(send))));
      path.set_receive(std::string(ReceivePathName(static_cast<ReceivePath>(receive))));
      path.set_payloads(payloads);
    }
  }
  ShowCopied(from.copied_bytes, *totals.mutable_copied());
  ShowCopied(from.kernel_copied_by_reason, *totals.mutable_copied_by_kernel());
}

void Fill(const transport::SessionView& from, admin::v1::Negotiated& negotiated) {
  negotiated.set_encryption(from.encryption);
  negotiated.set_digests(from.digests);
  negotiated.set_send_path(std::string(SendPathName(from.send_path)));
  negotiated.set_receive_path(std::string(ReceivePathName(from.receive_path)));
  negotiated.set_zerocopy_possible(from.zerocopy_possible);
  negotiated.set_splice_possible(from.splice_possible);
  negotiated.set_map_possible(from.map_possible);
  if (!from.zerocopy_possible || !from.map_possible)
    negotiated.set_not_possible_because(std::string(CopyReasonName(from.without)));
  negotiated.set_whole_page_segments(from.whole_page_segments);
  negotiated.set_peer_window(from.peer_window);
  negotiated.set_peer_max_chunk(from.peer_max_chunk);
}

}  // namespace

Connection Show(const call::ConnectionView& view, absl::Time now) {
  Connection connection;
  connection.set_id(view.id);
  connection.set_side(view.client ? admin::v1::SIDE_CLIENT : admin::v1::SIDE_SERVER);
  connection.set_owner(view.owner);
  connection.set_target(Shown(view.target));
  connection.set_state(StateOf(view.state));
  connection.set_failure(Shown(view.failure));
  if (view.idle.has_value()) connection.set_idle_ms(static_cast<uint64_t>(absl::ToInt64Milliseconds(*view.idle)));
  connection.set_calls_open(static_cast<uint32_t>(view.calls_open));
  connection.set_calls_waiting(static_cast<uint32_t>(view.calls_waiting));
  if (!view.session.has_value()) return connection;
  const transport::SessionView& session = *view.session;
  connection.set_age_ms(MillisecondsSince(session.began, now));
  connection.set_local(Shown(session.local));
  connection.set_peer(Shown(session.peer));
  Fill(session.identity, *connection.mutable_identity());
  connection.set_same_host(session.same_host);
  Fill(session, *connection.mutable_negotiated());
  connection.mutable_sent()->set_bytes(session.sent_bytes);
  connection.mutable_sent()->set_payload_bytes(session.sent_payload_bytes);
  connection.mutable_received()->set_bytes(session.received_bytes);
  connection.mutable_received()->set_payload_bytes(session.received_payload_bytes);
  connection.set_calls_begun(session.calls_begun);
  connection.mutable_allowance()->set_send_credit(session.send_credit);
  connection.mutable_allowance()->set_receive_credit(session.receive_credit);
  connection.mutable_allowance()->set_window_in_flight(session.window_in_flight);
  connection.mutable_allowance()->set_window_limit(session.window_limit);
  connection.set_budget(session.budget);
  connection.set_referenced_bytes(session.referenced_bytes);
  connection.set_control_bytes_waiting(session.control_bytes_waiting);
  Fill(session.transfers_sent, *connection.mutable_transfers_sent());
  Fill(session.transfers_received, *connection.mutable_transfers_received());
  return connection;
}

}  // namespace pagewire::admin_service
