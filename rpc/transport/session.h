// One connection between two peers: frames in, frames out.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/coarse_clock.h"
#include "base/pooled_map.h"
#include "transport/acks_owed.h"
#include "transport/byte_stream.h"
#include "transport/flood_guard.h"
#include "transport/frame_reader.h"
#include "transport/frame_scheduler.h"
#include "transport/keepalive.h"
#include "transport/loop.h"
#include "transport/read_coalescing.h"
#include "transport/receiver.h"
#include "transport/send_credit.h"
#include "transport/sent_payloads.h"
#include "transport/session_handler.h"
#include "transport/session_options.h"
#include "transport/session_view.h"
#include "transport/write_batch.h"
#include "wire/preface.h"
#include "wire/settings.h"

namespace pagewire::transport {

// Knows frames, credit, window and acks; knows nothing of methods. Every function must be called by the driver of the
// connection, which is its loop's thread. After OnClosed every call is ignored.
//
// A call's record has two ends. Ours ends when what was pushed before SendStatus (server) or EndCall / SendCancel
// (client) has been sent; the peer's ends with its last message or CANCEL (client), or with STATUS (server). When both
// have ended the record goes, and late frames for the call are drained.
class Session final : private ByteStream::Observer,
                      private FrameScheduler::Observer,
                      private Receiver::Outlet,
                      private FrameReader::Sink,
                      public std::enable_shared_from_this<Session> {
 public:
  // `handler` must stay valid until its OnClosed has returned. The loop and what the options point to outlive the
  // session. Posts that are under way keep a weak reference only.
  static std::shared_ptr<Session> Create(Loop& loop, std::unique_ptr<ByteStream> stream, SessionHandler& handler,
                                         SessionOptions options);
  ~Session();

  // Sends our preface and begins to read.
  void Start();

  // Client: the id of a new call.
  uint64_t OpenCall();

  // Items of a call go out in the order in which they are pushed here.
  void SendMessage(uint64_t call_id, OutgoingMessage&& message);
  void SendPayload(uint64_t call_id, OutgoingPayload payload);

  // The first and last message of a call in this direction, with no payload. What `head` and `bytes` hold afterwards is
  // unspecified. OnItemSent may come or not.
  void SendOnly(uint64_t call_id, wire::v1::CallStart& head, std::string& bytes) { SendOnlyOf(call_id, head, bytes); }
  void SendOnly(uint64_t call_id, wire::v1::MessagePart& head, std::string& bytes) { SendOnlyOf(call_id, head, bytes); }

  // Each piece is an item of its own, for OnItemSent too, and so is the message before it.
  void SendPieces(uint64_t call_id, OutgoingPieces pieces);

  // Server: the call's last frame, after the items pushed before. A status that the peer's limit on bodies does not
  // allow goes without metadata and details and with its text cut; OK becomes RESOURCE_EXHAUSTED then.
  // `method` names the call for VisitAnswered until its status is next to go to the socket; null: nothing does.
  void SendStatus(wire::v1::CallStatus&& status, std::shared_ptr<const std::string_view> method = nullptr);

  // Client: no more items will be pushed.
  void EndCall(uint64_t call_id);

  // Client: gives the call up. The server's status still comes and is passed on. If the server has not heard of the
  // call, it never will: a status CANCELLED of our own is passed on later.
  void SendCancel(wire::v1::Cancel cancel);

  // Drops what the call has not sent yet.
  void StopSending(uint64_t call_id);

  // The application has taken an item of the call: its next ones may come.
  void OnRead(uint64_t call_id, Unread unread);

  // Limits of the call's own for what the peer sends; from OnCallStart, or after OpenCall. They outlive the session.
  void LimitCall(uint64_t call_id, const ItemLimits& limits) { receiver_.LimitCall(call_id, limits); }

  // Drops what the peer still sends in the call.
  void DiscardIncoming(uint64_t call_id);

  // Tells the peer to start no further calls; calls with higher ids than the last one seen are refused.
  void SendGoAway(const absl::Status& reason);

  // Closes once everything that was pushed has been sent and acknowledged by the peer's transport, or when `patience`
  // is over (which may be infinite, and counts from the last call). OnClosed follows, with OK.
  void Close(absl::Duration patience);

  // Ends the connection now. The peer is told the reason if the socket takes it. OnClosed follows, from the loop.
  void Fail(absl::Status reason);

  // Whether the peer takes a frame with such a body. RESOURCE_EXHAUSTED, with size and limit, if not.
  absl::Status CheckFits(wire::FrameType type, const google::protobuf::MessageLite& body) const;

  const std::string& peer() const { return *peer_; }
  const std::shared_ptr<const std::string>& shared_peer() const { return peer_; }

  // Whether the stream has taken any byte. Without that, no call has been heard of.
  bool sent_anything() const { return sent_anything_; }

  PeerIdentity peer_identity() const { return stream_->identity(); }

  // The peer's preface was accepted.
  bool ready() const { return ready_; }

  // How things are now; see session_inspection.cc.
  SessionView Describe() const;
  CallTraffic DescribeCall(uint64_t call_id) const;

  // Those after `after` that began at `until` or before, in their order, `limit` at the most.
  std::vector<TransferView> DescribeTransfers(const TransferPlace& after, absl::Time until, size_t limit) const;

  // Calls passed to `visit(uint64_t call_id, std::string_view method)`: a status was pushed and has not been sent.
  template <typename Visit>
  void VisitAnswered(Visit visit) const {
    for (const auto& [call_id, call] : calls_) {
      if (call.method != nullptr && !call.local_ended) visit(call_id, *call.method);
    }
  }

  // How a call is called that VisitAnswered knows; null: it does not.
  const std::string_view* MethodOfAnswered(uint64_t call_id) const {
    const auto it = calls_.find(call_id);
    return it == calls_.end() ? nullptr : it->second.method.get();
  }

 private:
  struct Call {
    absl::Time began = base::CoarseNow();
    std::shared_ptr<const std::string_view> method;  // see SendStatus
    uint64_t sent_bytes = 0;                         // of items whose credit is not counted any more
    bool local_ended = false;
    bool peer_ended = false;
    bool unheard_of = false;    // given up before the peer heard of it
    uint64_t sent_payload = 0;  // its id
  };
  Session(Loop& loop, std::unique_ptr<ByteStream> stream, SessionHandler& handler, SessionOptions options);

  template <typename Head>
  void SendOnlyOf(uint64_t call_id, Head& head, std::string& bytes);

  // ByteStream::Observer
  void OnReadable() override;
  void OnWritable() override;

  // FrameReader::Sink
  absl::Status OnPreface(const wire::Preface& preface) override;
  absl::Status OnFrame(wire::Frame& frame) override;
  absl::Status OnChunk(const wire::v1::Chunk& chunk, uint64_t length, ChunkTarget*& target) override;
  void OnChunkReceived(uint64_t length) override;

  // FrameScheduler::Observer
  void OnPayloadSent(uint64_t call_id, SentPayload payload) override;
  void OnCallSent(uint64_t call_id, uint64_t bytes) override;
  void OnItemSent(uint64_t call_id, uint64_t bytes) override { handler_.OnItemSent(call_id, bytes); }

  // Receiver::Outlet
  void SendGrant(const wire::v1::Credit& grant) override;
  void SendReceipt(const wire::v1::Receipt& receipt) override;
  std::function<void(absl::AnyInvocable<void()>)> Poster() override;
  void DropChunk() override { reader_.DropChunk(); }
  absl::AnyInvocable<void()> OnPayloadReleased(uint64_t payload_id) override;

  absl::Status OnCallStart(wire::Frame& frame);
  absl::Status OnMessage(wire::Frame& frame);
  absl::Status OnMessageFlags(uint64_t call_id, const wire::Frame& frame);
  absl::Status OnAck(const wire::v1::Ack& ack);
  absl::Status OnCredit(const wire::v1::Credit& credit);
  absl::Status OnCancel(wire::v1::Cancel& cancel);
  absl::Status OnStatus(wire::v1::CallStatus& status);
  absl::Status OnPing(const wire::Frame& frame);
  absl::Status OnGoAway(const wire::v1::GoAway& go_away);
  absl::Status OnSettings(const wire::Frame& frame);

  void ApplyPeerSettings();
  absl::Status CheckCallId(const char* frame, uint64_t call_id) const;

  void EndPeer(uint64_t call_id);
  void EndIfBoth(uint64_t call_id, const Call& call);
  void CloseEndedCalls();

  void Control(wire::FrameType type, uint8_t flags, const google::protobuf::MessageLite& body);
  void SendPing(uint64_t id);
  void BoundControl();
  void ScheduleFlush();
  // Until there are so many bytes, or more where many are sure to come.
  void PauseReading(uint64_t wait_for);
  // Acknowledges, after what is posted now, such as completions: what they send goes out with it.
  void FlushAfterReading();
  void FlushInAnotherTurn();
  void Flush();
  bool WriteBatchOut();
  void AppendAck();
  void OnReleasedByUs();
  void TakeReleased();
  void WatchForStall();
  void MaybeFinishClose();
  void PollSendQueue(absl::Duration delay, absl::Time patience_ends);
  void Shut(absl::Status reason);

  Loop& loop_;
  std::unique_ptr<ByteStream> stream_;
  const std::shared_ptr<const std::string> peer_;
  SessionHandler& handler_;
  const SessionOptions options_;
  const wire::Preface own_preface_;
  const uint64_t own_window_ = wire::Settings().window;
  wire::Settings peer_settings_;

  SendTerms send_terms_;
  SendCredit send_credit_;
  SentPayloads sent_;
  FrameScheduler scheduler_;
  WriteBatch batch_;
  bool flush_scheduled_ = false;
  uint64_t written_batches_ = 0;
  uint64_t sent_bytes_ = 0;
  uint64_t received_bytes_ = 0;
  uint64_t calls_begun_ = 0;
  const absl::Time began_ = base::CoarseNow();
  bool sent_anything_ = false;
  Loop::TimerId stall_timer_ = 0;

  Receiver receiver_;
  FrameReader reader_;
  AcksOwed acks_owed_;
  Loop::TimerId release_timer_ = 0;
  Loop::TimerId late_timer_ = 0;  // while more bytes are waited for than the chunk under way lacks
  ReadCoalescing coalescing_;
  Keepalive keepalive_;
  FloodGuard pings_;
  FloodGuard settings_;
  FloodGuard cancels_;

  base::PooledMap<uint64_t, Call> calls_;
  std::vector<uint64_t> ended_calls_;
  std::vector<uint64_t> ending_calls_;  // in CloseEndedCalls; empty outside
  uint64_t last_call_id_ = 0;

  bool ready_ = false;        // the peer's preface was accepted
  bool failing_ = false;      // Shut is posted
  bool closing_ = false;      // Close was called
  bool write_ended_ = false;  // by CloseWrite or a failure
  bool closed_ = false;
  Loop::TimerId handshake_timer_ = 0;
  Loop::TimerId close_timer_ = 0;
  Loop::TimerId close_poll_timer_ = 0;
  std::string go_away_reason_;  // the peer's
};

}  // namespace pagewire::transport
