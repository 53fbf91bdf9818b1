// A streaming call as its caller's threads see it.
#pragma once

#include <pagewire/internal/raw_stream.h>

#include <absl/status/status.h>

#include <memory>

#include "call/call_observers.h"
#include "call/stream_client_call.h"
#include "transport/loop.h"

namespace pagewire::client {

// Thread-safe. `loop` outlives it.
class ClientStream final : public internal::RawClientStream {
 public:
  // `observers`: null for nobody; told of what is written.
  ClientStream(transport::Loop& loop, std::shared_ptr<call::StreamClientCall> call,
               std::shared_ptr<call::CallObservers> observers)
      : loop_(loop), call_(std::move(call)), observers_(std::move(observers)) {}
  ~ClientStream() override;

  void Read(ReadDone done) override;
  void Write(internal::RawMessage message, bool last, WriteDone done) override;
  void AwaitInitialMetadata(absl::AnyInvocable<void(absl::Status)> done) override;
  void WritesDone(WriteDone done) override;
  void FinishWithResponse(absl::AnyInvocable<void(absl::StatusOr<internal::RawMessage>)> done) override;
  void Finish(absl::AnyInvocable<void(absl::Status)> done) override;
  void Reject() override;
  uint64_t PeerReceivedBytes() const override { return call_->peer_received_bytes(); }

 private:
  transport::Loop& loop_;
  std::shared_ptr<call::StreamClientCall> call_;  // its last owner must be the loop
  const std::shared_ptr<call::CallObservers> observers_;
};

}  // namespace pagewire::client
