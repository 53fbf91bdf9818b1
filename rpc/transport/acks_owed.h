// What our next ACK frame will tell the peer.
#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <memory>
#include <string>

#include "pagewire/wire.pb.h"
#include "transport/released_payloads.h"

namespace pagewire::transport {

// Not thread-safe, but for what TellReleased returns: used by whoever drives the connection.
class AcksOwed {
 public:
  // `on_released` runs on any thread when a payload is released: AppendReleased should be called some time later. Not
  // again before that.
  explicit AcksOwed(absl::AnyInvocable<void()> on_released)
      : released_(std::make_shared<ReleasedPayloads>(std::move(on_released))) {}
  ~AcksOwed() { released_->Close(); }
  AcksOwed(const AcksOwed&) = delete;
  AcksOwed& operator=(const AcksOwed&) = delete;

  // True when there are so many that the ack should go now.
  bool AddReceipt(const wire::v1::Receipt& receipt);

  // Tells the peer, some time after it was called, that the payload is released. Once, from any thread, also when this
  // object is gone.
  absl::AnyInvocable<void()> TellReleased(uint64_t payload_id);

  // How much of `received_bytes`, the count of payload bytes received, the peer has not been told.
  uint64_t Unacknowledged(uint64_t received_bytes) const { return received_bytes - told_bytes_; }

  // There is news of bytes or receipts.
  bool HasNews(uint64_t received_bytes) const { return Unacknowledged(received_bytes) > 0 || ack_.receipts_size() > 0; }

  // Appends an ACK frame if there is news; what was released rides along.
  void Append(uint64_t received_bytes, std::string& out);

  // Appends one if payloads were released, too.
  void AppendReleased(uint64_t received_bytes, std::string& out);

 private:
  void AppendFrame(uint64_t received_bytes, std::string& out);

  const std::shared_ptr<ReleasedPayloads> released_;
  wire::v1::Ack ack_;
  uint64_t told_bytes_ = 0;
};

}  // namespace pagewire::transport
