// The calls that a client has on one connection.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "call/client_call.h"
#include "call/directory.h"
#include "call/idle_timer.h"
#include "transport/session.h"

namespace pagewire::call {

// Lives on its session's loop; every function is called there.
class ClientConnection final : public Inspected, private transport::SessionHandler {
 public:
  // Who wants to know how the connection fares.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The server's preface was accepted.
    virtual void OnConnectionReady() = 0;
    // No call may be started on it any more; those in flight go on. `reason`: OK for a planned shutdown, else
    // UNAVAILABLE with why the server ends the connection, which it does now.
    virtual void OnConnectionDraining(const absl::Status& reason) = 0;
    // It has had no calls for SessionOptions::idle_timeout.
    virtual void OnConnectionIdle() = 0;
    // It is gone, and all its calls have ended. Called once, last. The connection may be destroyed from here.
    virtual void OnConnectionClosed(const absl::Status& status) = 0;
  };

  ClientConnection(transport::Loop& loop, std::unique_ptr<transport::ByteStream> stream, Observer& observer,
                   transport::SessionOptions options);
  ~ClientConnection() override;

  void Start();

  // Sends the call. Not after OnConnectionDraining.
  void Send(std::shared_ptr<ClientCall> call);

  // OnConnectionIdle comes as soon as there are no calls.
  void CloseWhenIdle() { idle_.Shorten(absl::ZeroDuration()); }

  // Ends all calls with `status` and closes.
  void Close(const absl::Status& status);

  bool ready() const { return session_->ready(); }
  size_t calls() const { return calls_.size() + early_.size(); }

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

  ClientCall* Find(uint64_t call_id);

  void SetIdleIfWithoutCalls();
  void FinishEarly(const absl::Status& status);

  Observer& observer_;
  IdleTimer idle_;
  std::shared_ptr<transport::Session> session_;
  wire::v1::CallStart start_;                                         // of the last call: its memory is used again
  absl::flat_hash_map<uint64_t, std::shared_ptr<ClientCall>> calls_;  // until the server's status
  std::vector<std::shared_ptr<ClientCall>> early_;  // too large for what is known of the server before its preface
  uint64_t last_early_ = 0;
  bool draining_ = false;
  std::string drain_reason_;
  const uint64_t owner_;
  const std::string target_;
  const Listing listing_;
};

}  // namespace pagewire::call
