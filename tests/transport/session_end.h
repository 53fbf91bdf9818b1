// One session under test, and a record of what it tells the layer above.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/manual_loop.h"
#include "transport/session.h"

namespace pagewire::transport::testing {

// Options with a held budget of their own, outside of the process's.
SessionOptions TestOptions(bool initiator, uint64_t held_budget_bytes = 64 << 20);

class SessionEnd final : private SessionHandler {
 public:
  SessionEnd(ManualLoop& loop, std::unique_ptr<ByteStream> stream, SessionOptions options);

  Session& session() { return *session_; }

  // One line per call of the handler since the last Take, apart from those that `on_...` below replace:
  //   "ready", "start 1 /s/M", "message 1 5 bytes", "message 1 5 bytes, payload 7, last", "half-close 1",
  //   "payload 1 4097 bytes", "no payload 1 ABORTED: ...", "refused 1 RESOURCE_EXHAUSTED: ...", "sent 1 4097 bytes",
  //   "receipt 1 4097 bytes", "cancel 1", "status 1 OK: ...", "metadata 1", "go-away 3: ...", "closed OK: ..."
  std::vector<std::string> TakeEvents();

  // Runs inside the handler's call, after it was recorded.
  std::function<void(uint64_t call_id)> on_start;
  std::function<void(uint64_t call_id)> on_message;
  std::function<void(uint64_t call_id)> on_payload;
  std::function<void(uint64_t call_id)> on_refused;

  // Of the payload that was sent last.
  const TransferReport& last_report() const { return last_report_; }

  // The status that OnClosed was given.
  const std::optional<absl::Status>& closed() const { return closed_; }

  // Messages and payloads that came, in order; a test drops payloads by clearing.
  std::vector<std::string> messages;
  std::vector<Payload> payloads;

  // While false, what comes is not read; Read takes the eldest of it.
  bool reads = true;
  void Read(uint64_t call_id);
  std::deque<Unread> unread;
  uint64_t sent_bytes = 0;  // of items that have left the line

  // What the server's side of the session says at the end of a call.
  void SendStatus(uint64_t call_id, absl::StatusCode code = absl::StatusCode::kOk, std::string_view message = {});
  // A message of either side; `payload`, if not empty, follows it.
  void SendMessage(uint64_t call_id, std::string message, Payload payload = Payload(), bool last = true);
  // A whole request. Returns the call's id.
  uint64_t StartCall(std::string_view method, std::string message, Payload payload = Payload());

 private:
  void OnReady() override;
  void OnCallStart(wire::v1::CallStart&& start) override;
  void OnInitialMetadata(uint64_t call_id, wire::v1::MessagePart&& part) override;
  void OnMessage(uint64_t call_id, IncomingMessage message) override;
  void OnHalfClose(uint64_t call_id) override;
  void OnPayload(uint64_t call_id, absl::StatusOr<Payload> payload, const TransferReport& report,
                 Unread unread) override;
  void OnRefused(uint64_t call_id, absl::Status status) override;
  void OnItemSent(uint64_t call_id, uint64_t bytes) override;
  void OnSent(uint64_t call_id, const TransferReport& report) override;
  void OnReceipt(uint64_t call_id, const TransferReport& report) override;
  void OnCancel(wire::v1::Cancel&& cancel) override;
  void OnStatus(wire::v1::CallStatus&& status) override;
  void OnGoAway(const wire::v1::GoAway& go_away) override;
  bool MayRefuse(uint64_t) override { return false; }
  std::string_view HolderOf(uint64_t call_id) override;
  void OnClosed(absl::Status status) override;

  void Deliver(uint64_t call_id, Unread item);

  std::vector<std::string> events_;
  std::string holder_;
  TransferReport last_report_;
  std::optional<absl::Status> closed_;
  std::shared_ptr<Session> session_;
};

}  // namespace pagewire::transport::testing
