// One call, seen from the client: from its start to its one status.
#pragma once

#include <pagewire/metadata.h>
#include <pagewire/payload.h>
#include <pagewire/transfer_report.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/coarse_clock.h"
#include "call/admission.h"
#include "call/call_observers.h"
#include "call/cancellable.h"
#include "call/lazy_transfers.h"
#include "call/method_terms.h"
#include "call/views.h"
#include "transport/loop.h"
#include "transport/peer_event.h"
#include "transport/session.h"
#include "wire/metadata.h"

namespace pagewire::call {

// What a call is, apart from its messages.
struct CallTerms {
  absl::string_view method;  // "/package.Service/Method"; outlives the call
  absl::Time deadline = absl::InfiniteFuture();
  Metadata metadata;  // valid
  transport::PayloadEvents payload_events;
  bool takes_response_payload = false;
  bool piecewise = false;                                // see Method
  std::shared_ptr<const MethodTermsTable> method_terms;  // keeps what `own` points to
  const MethodTerms* own = nullptr;                      // the method's; null: the channel's hold
  uint64_t max_metadata_bytes = 0;           // of the server's initial metadata, and of its trailing metadata
  std::shared_ptr<CallObservers> observers;  // null: nobody watches; told of payloads only
  Place lane;                                // among the calls of its lane; given back when the call has ended
  uint32_t attempt = 1;
  absl::Time began = base::CoarseNow();  // the first attempt
};

// How a call ended, apart from its messages.
struct CallOutcome {
  absl::Status status;
  Metadata initial_metadata;
  Metadata trailing_metadata;
  LazyTransfers transfers;
  std::shared_ptr<const std::string> peer;  // null: it was not sent
  bool not_started = false;
};

// States: waiting (no connection yet), sent, finished. What is common to all kinds of calls; the kinds say which
// messages they send and what they do with those that come. Lives on one loop; every function is called there, but for
// RequestCancel.
class ClientCall : public Cancellable {
 public:
  ~ClientCall() override;
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  absl::string_view method() const { return terms_.method; }
  bool finished() const { return finished_; }

  // Cancel, from any thread.
  void RequestCancel(std::shared_ptr<Cancellable> self) override;

  // Starts the clock: the call ends with DEADLINE_EXCEEDED when its deadline passes, inside of this if it has passed.
  void ArmDeadline();

  // Fills in what the call knows of itself. A number tells calls apart that wait in one place.
  void Describe(CallView& view) const;
  absl::Time began() const { return terms_.began; }
  void set_waiting_number(uint64_t number) { waiting_number_ = number; }
  uint64_t waiting_number() const { return waiting_number_; }

  // What it occupies until it has ended.
  void KeepPlace(Place place) { place_ = std::move(place); }

  // Whether the peer takes the call's metadata, as far as it has said yet.
  bool Fits(const transport::Session& session) const;

  // Sends the call; `session` stays valid until OnStatus or OnConnectionLost. Returns its id, or 0 when the call has
  // ended because the server does not take its metadata. `start` is written over: its memory is used again.
  uint64_t SendOn(transport::Session& session, wire::v1::CallStart& start);

  // Ends the call from our side: deadline, cancellation, a response we refuse. The server is told. No effect on a
  // finished call.
  void Cancel(absl::Status status);

  // From the session, for a call that was sent.
  void OnInitialMetadata(wire::v1::MessagePart&& part);
  void OnMessage(transport::IncomingMessage message);
  void OnPayload(absl::StatusOr<Payload> payload, const TransferReport& report, transport::Unread unread);
  void OnItemSent(uint64_t bytes);
  void OnSent(const TransferReport& report);
  void OnReceipt(const TransferReport& report);
  void OnStatus(wire::v1::CallStatus&& status);
  void OnConnectionLost(const absl::Status& status, bool not_started);

  // Ends a call that was not sent, or will never get an answer.
  void Finish(const absl::Status& status, bool not_started);

 protected:
  // `loop` outlives the call.
  ClientCall(transport::Loop& loop, CallTerms terms);

  CallOutcome& outcome() { return outcome_; }
  bool piecewise() const { return terms_.piecewise; }

  // For the call's first payload.
  transport::PayloadEvents TakePayloadEvents() { return std::move(terms_.payload_events); }

  // Ended from our side, after it was sent or before.
  bool cancelled() const { return cancelled_; }

  // Null unless the call was sent and has not finished.
  transport::Session* session() const { return session_; }
  uint64_t id() const { return id_; }

  // Sends the call's first frame, and what else there is to send.
  virtual void SendFirst(wire::v1::CallStart& start) = 0;

  // The server's metadata has come; it stands in outcome().
  virtual void TakeInitialMetadata() {}

  // A message; its payload, if it has one, follows. The kind may cancel the call.
  virtual void TakeMessage(transport::IncomingMessage message) = 0;
  virtual void TakePayload(Payload payload, transport::Unread unread) = 0;
  virtual void TakeItemSent(uint64_t) {}

  // The server has received so many bytes of a payload, which is all of it. Also of a call that we have ended.
  virtual void TakeReceipt(uint64_t /*bytes*/) {}

  // The server has ended the call with OK: what the kind thinks of that. OK if nothing is missing.
  virtual absl::Status CheckComplete() = 0;

  // The call has ended, as outcome() says. Called once, last.
  virtual void TakeEnd() = 0;

 private:
  void WriteStart(wire::v1::CallStart& start) const;

  // INVALID_ARGUMENT or RESOURCE_EXHAUSTED when the server's metadata breaks the rules.
  absl::Status ReadMetadataOf(const wire::MetadataList& list, Metadata& metadata) const;

  transport::Loop& loop_;
  CallTerms terms_;
  CallOutcome outcome_;
  Place place_;
  bool finished_ = false;
  bool cancelled_ = false;
  transport::Session* session_ = nullptr;
  uint64_t id_ = 0;
  uint64_t waiting_number_ = 0;
  transport::Loop::TimerId deadline_timer_ = 0;
  bool awaits_payload_ = false;
  absl::Status payload_error_;
};

}  // namespace pagewire::call
