// The calls that one client has at a server.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "call/directory.h"
#include "call/handler_table.h"
#include "call/idle_timer.h"
#include "call/listed_connection.h"
#include "call/server_call.h"
#include "transport/session.h"

namespace pagewire::call {

// Lives on its session's loop; every function is called there.
class ServerConnection final : public std::enable_shared_from_this<ServerConnection>,
                               public Inspected,
                               private transport::SessionHandler {
 public:
  // `handlers` outlives the connection. `on_closed` is called once, last, from the loop.
  ServerConnection(transport::Loop& loop, std::unique_ptr<transport::ByteStream> stream, const HandlerTable& handlers,
                   transport::SessionOptions options, absl::AnyInvocable<void()> on_closed);
  ~ServerConnection() override;

  void Start();

  // Refuses new calls and closes when the last one in flight has been answered.
  void Drain();

  // Closes at once; the client is told why.
  void Fail(absl::Status reason) { session_->Fail(std::move(reason)); }

  // Ends all calls with UNAVAILABLE and closes once the statuses are out, or after `patience`.
  void Stop(absl::Duration patience);

  // Inspected
  bool Describe(ConnectionView& view) const override;
  void DescribeCalls(uint64_t after, absl::Time until, size_t limit, std::vector<CallView>& calls) const override;
  void DescribeTransfers(const transport::TransferPlace& after, absl::Time until, size_t limit,
                         std::vector<TransferOfCall>& transfers) const override;

 private:
  void OnReady() override;
  void OnCallStart(wire::v1::CallStart&& start) override;
  void OnInitialMetadata(uint64_t call_id, wire::v1::MessagePart&& part) override;
  void OnMessage(uint64_t call_id, transport::IncomingMessage message) override;
  void OnHalfClose(uint64_t call_id) override;
  void OnPayload(uint64_t call_id, absl::StatusOr<Payload> payload, const TransferReport& report,
                 transport::Unread unread) override;
  void OnRefused(uint64_t call_id, absl::Status status) override;
  void OnItemSent(uint64_t call_id, uint64_t bytes) override;
  void OnSent(uint64_t call_id, const TransferReport& report) override;
  void OnReceipt(uint64_t call_id, const TransferReport& report) override;
  void OnCancel(wire::v1::Cancel&& cancel) override;
  void OnStatus(wire::v1::CallStatus&& status) override;
  void OnGoAway(const wire::v1::GoAway& go_away) override;
  bool MayRefuse(uint64_t call_id) override;
  std::string_view HolderOf(uint64_t call_id) override;
  void OnClosed(absl::Status status) override;

  ServerCall* Find(uint64_t call_id);
  void Refuse(uint64_t call_id, const absl::Status& status);
  void Run(uint64_t call_id, ServerCall& call);
  void OnHandlerDone(uint64_t call_id, absl::StatusOr<internal::RawMessage> reply);
  void EraseIfDone(uint64_t call_id);
  void DrainBecause(std::string reason);
  void CloseIfDrained();

  transport::Loop& loop_;
  const HandlerTable& handlers_;
  const uint64_t max_metadata_bytes_;
  const uint32_t max_concurrent_calls_;
  const uint64_t owner_;
  absl::AnyInvocable<void()> on_closed_;
  IdleTimer idle_;
  std::shared_ptr<transport::Session> session_;
  std::shared_ptr<const PeerIdentity> peer_identity_;  // once there was a call
  // Until answered and, if it ran, the handler has returned.
  absl::flat_hash_map<uint64_t, std::shared_ptr<ServerCall>> calls_;
  bool ready_ = false;  // the client has said that it speaks Pagewire
  bool draining_ = false;
  std::string drain_reason_;
  bool stopping_ = false;
  bool closed_ = false;
  const std::shared_ptr<ListedConnection> listed_;
};

}  // namespace pagewire::call
