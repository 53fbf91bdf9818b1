// Payload bytes sent and not yet peer-received.
#pragma once

#include <cstdint>

namespace pagewire::transport {

// The receiver sets the limit below its real socket buffer, so that chunks are not cut where its TCP window ends.
class SendWindow {
 public:
  void set_limit(uint64_t limit) { limit_ = limit; }

  uint64_t available() const { return limit_ > in_flight() ? limit_ - in_flight() : 0; }
  uint64_t in_flight() const { return sent_ - received_; }
  uint64_t limit() const { return limit_; }
  uint64_t sent() const { return sent_; }          // in the connection's life
  uint64_t received() const { return received_; }  // of these, by the peer
  uint64_t acks() const { return acks_; }          // that moved forward

  void OnSent(uint64_t bytes) { sent_ += bytes; }

  // The peer's cumulative count. False when it claims bytes that were never sent; a lower count than before is old
  // news and changes nothing.
  bool OnReceived(uint64_t total) {
    if (total > sent_) return false;
    if (total <= received_) return true;
    received_ = total;
    ++acks_;
    return true;
  }

 private:
  uint64_t limit_ = 0;  // nothing before the peer's preface
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t acks_ = 0;
};

}  // namespace pagewire::transport
