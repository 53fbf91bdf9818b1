// What one call still has to send, in order: messages, payloads, at a server the status.
#pragma once

#include <pagewire/internal/block_pool.h>
#include <pagewire/payload.h>
#include <pagewire/transfer_report.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "pagewire/wire.pb.h"
#include "transport/path_choice.h"
#include "transport/payload_cursor.h"
#include "transport/payload_digest.h"
#include "transport/peer_event.h"
#include "transport/send_credit.h"
#include "transport/send_window.h"
#include "transport/session_view.h"
#include "transport/write_batch.h"

namespace pagewire::transport {

// A message, or the start of a call with or without one.
struct OutgoingMessage {
  std::variant<wire::v1::CallStart, wire::v1::MessagePart> head;
  bool has_message = true;
  std::string bytes;
  bool last = false;          // END_STREAM
  bool with_payload = false;  // an OutgoingPayload is pushed next
};

struct OutgoingPayload {
  Payload payload;
  PayloadEvents events = {};
};

// A payload that the peer may use before it is whole: it goes as many small ones, each with an empty message before it.
struct OutgoingPieces {
  Payload payload;
  PayloadEvents events = {};  // of the last one
};

// How many a payload of so many bytes becomes: the largest are of kPieceBytes.
constexpr uint64_t kPieceBytes = 256 << 10;
constexpr uint64_t PieceCount(uint64_t bytes) { return (bytes + kPieceBytes - 1) / kPieceBytes; }

// A payload that has left whole.
struct SentPayload {
  uint64_t payload_id = 0;
  uint64_t end = 0;  // payload bytes of the connection up to here
  // `acks` is what the window had counted when the payload began; copies that the kernel makes are still added.
  std::shared_ptr<TransferReport> report;
  PathChooser::Group group = 0;  // not 0: it is measured
  PayloadEvents events;
};

// Turns items into frames, one at a time, as credit and window allow. Not thread-safe: used by whoever drives the
// connection.
class OutgoingCall {
 public:
  // Whoever keeps track of what was sent.
  class Observer {
   public:
    // A message or a payload of so many bytes has left the line. Nothing of the call may be aborted or finished here.
    virtual void OnItemSent(uint64_t call_id, uint64_t bytes) = 0;

    // The last frame of a whole payload is on its way.
    virtual void OnPayloadSent(uint64_t call_id, SentPayload payload) = 0;

   protected:
    ~Observer() = default;
  };

  // `terms` say which path payloads take. `last_payload_id` is the connection's counter: payloads get their ids when
  // their messages go out, so that the peer sees them rise.
  OutgoingCall(uint64_t call_id, SendCredit& credit, SendWindow& window, const SendTerms& terms,
               uint64_t& last_payload_id, Observer& observer)
      : call_id_(call_id),
        credit_(credit),
        window_(window),
        terms_(terms),
        last_payload_id_(last_payload_id),
        observer_(observer) {}

  void Push(OutgoingMessage&& message);
  void Push(OutgoingPayload&& payload);
  void Push(OutgoingPieces&& pieces);
  void Push(wire::v1::CallStatus&& status);

  // Drops messages and payloads that have not started and ends what has: a payload gets an end frame that says so.
  // A status is sent all the same. False when nothing of the call was sent and nothing will be: the peer never hears of
  // it.
  bool Abort();

  // What the call could send now.
  enum class Turn {
    kNone,   // nothing, or it waits for credit or for the peer's preface
    kSmall,  // one frame without a chunk
    kBulk,   // a chunk or the end of a payload, as far as the window allows
  };
  Turn turn() const;

  // Takes the turn. SendSmall only at kSmall. SendBulk only at kBulk; false when the window is too full for it.
  // `alone`: nothing else waits to be sent, so what follows a chunk is this payload's next frame, as far as one can
  // know.
  void SendSmall(std::string& out);
  bool SendBulk(WriteBatch& batch, uint64_t chunk_bytes, bool alone);

  // The grant that the call waits for has come.
  void OnGranted();

  // The peer's preface has come: payloads may start.
  void AllowBulk() { bulk_allowed_ = true; }

  bool empty() const { return items_.empty(); }

  // The payload that is under way; false if there is none.
  bool Describe(TransferView& view) const;

 private:
  struct SendingMessage {
    explicit SendingMessage(OutgoingMessage&& outgoing) : message(std::move(outgoing)) {}
    OutgoingMessage message;
    uint64_t sent = 0;
    bool begun = false;
  };
  struct SendingPayload {
    explicit SendingPayload(OutgoingPayload&& outgoing)
        : cursor(std::move(outgoing.payload)), events(std::move(outgoing.events)) {}
    uint64_t payload_id = 0;
    PayloadCursor cursor;
    PayloadEvents events;
    SendChoice choice;
    std::shared_ptr<TransferReport> report;  // from the beginning on
    std::optional<PayloadDigest> digest;     // where both sides want one
    std::shared_ptr<absl::Status> source;    // why the payload's file cannot be read; null: it is in none
    bool begun = false;
    bool aborted = false;
  };
  struct SendingPieces {
    explicit SendingPieces(OutgoingPieces&& outgoing) : pieces(std::move(outgoing)) {}
    OutgoingPieces pieces;
    uint64_t offset = 0;
  };
  using Item = std::variant<SendingMessage, SendingPayload, SendingPieces, wire::v1::CallStatus>;

  void CutNextPiece();
  void PopFront();
  void SendMessage(SendingMessage& item, std::string& out);
  void SendPayloadBegin(SendingPayload& item, std::string& out);
  void SendPayloadEnd(SendingPayload& item, std::string& out);
  bool FinishPayload(SendingPayload& item, WriteBatch& batch);  // false: the window is too full for its tail
  void AppendChunk(SendingPayload& item, uint64_t length, WriteBatch& batch);
  uint32_t NextFrameBytes(const SendingPayload& item, uint64_t chunk) const;

  const uint64_t call_id_;
  SendCredit& credit_;
  SendWindow& window_;
  const SendTerms& terms_;
  uint64_t& last_payload_id_;
  Observer& observer_;
  std::list<Item, internal::BlockAllocator<Item>>
      items_;                       // a list, because that takes no memory while it is empty, as it mostly is
  uint64_t announced_payload_ = 0;  // by the last message
  bool heard_of_ = false;           // by the peer: a frame has gone out
  bool waiting_ = false;            // for credit
  bool bulk_allowed_ = false;
};

}  // namespace pagewire::transport
