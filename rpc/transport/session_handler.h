// What a session tells the layer above: whole messages and payloads of calls, not frames.
#pragma once

#include <pagewire/payload.h>
#include <pagewire/transfer_report.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

#include "pagewire/wire.pb.h"
#include "transport/unread.h"

namespace pagewire::transport {

struct IncomingMessage {
  std::string bytes;
  uint64_t payload_id = 0;  // a payload comes with it; 0: none
  bool last = false;        // the peer sends no further message in this call
  Unread unread;            // without a payload: give it back when the application has taken the message
};

// Called by the session, in its loop, one call at a time. A handler may call the session from here, and may destroy
// it only from OnClosed, which is the last call.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;

  // The peer's preface has arrived and was accepted.
  virtual void OnReady() = 0;

  // A call starts; its id is new. Only at the side that accepted the connection.
  virtual void OnCallStart(wire::v1::CallStart&& start) = 0;

  // The server's initial metadata for a call, before its first message.
  virtual void OnInitialMetadata(uint64_t call_id, wire::v1::MessagePart&& part) = 0;

  // A whole message. When it announces a payload, OnPayload follows.
  virtual void OnMessage(uint64_t call_id, IncomingMessage message) = 0;

  // The peer sends no further message in the call, and said so without one.
  virtual void OnHalfClose(uint64_t call_id) = 0;

  // A whole payload, or why there is none although it was announced: ABORTED when the peer gave up, DATA_LOSS when its
  // source failed. Give `unread` back when the application has taken message and payload.
  virtual void OnPayload(uint64_t call_id, absl::StatusOr<Payload> payload, const TransferReport& report,
                         Unread unread) = 0;

  // The call's next item is too large for us; nothing of it will be delivered. The session discards the rest of what
  // the peer sends in this call.
  virtual void OnRefused(uint64_t call_id, absl::Status status) = 0;

  // A message or a payload of ours of so many bytes has left the line. May be called from within calls to the session.
  virtual void OnItemSent(uint64_t call_id, uint64_t bytes) = 0;

  // A payload of ours was handed to the kernel: `report.finished` is set.
  virtual void OnSent(uint64_t call_id, const TransferReport& report) = 0;

  // The peer has received all of a payload of ours, and says how: the report is complete.
  virtual void OnReceipt(uint64_t call_id, const TransferReport& report) = 0;

  // The client gave the call up.
  virtual void OnCancel(wire::v1::Cancel&& cancel) = 0;

  // The server ended the call.
  virtual void OnStatus(wire::v1::CallStatus&& status) = 0;

  // The peer accepts no call after `go_away.last_call_id()`.
  virtual void OnGoAway(const wire::v1::GoAway& go_away) = 0;

  // Nothing has been done for the call yet, so that it may be refused instead of waiting in a long line.
  virtual bool MayRefuse(uint64_t call_id) = 0;

  // Who holds the payloads of a call, for the list of holders: "/package.Service/Method".
  // The name is valid until the next call of the handler.
  virtual std::string_view HolderOf(uint64_t call_id) = 0;

  // The connection is gone; nothing more will be called. OK only after Session::Close.
  virtual void OnClosed(absl::Status status) = 0;
};

}  // namespace pagewire::transport
