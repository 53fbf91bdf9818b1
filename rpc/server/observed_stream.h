// A handler's stream whose messages are counted.
#pragma once

#include <pagewire/internal/raw_stream.h>

#include <memory>
#include <utility>

#include "call/call_observers.h"

namespace pagewire::server {

class ObservedStream final : public internal::RawServerStream {
 public:
  ObservedStream(std::shared_ptr<internal::RawServerStream> stream, std::shared_ptr<call::CallObservers> observers)
      : stream_(std::move(stream)), observers_(std::move(observers)) {
    set_complete_on(stream_->complete_on());
  }

  void Read(ReadDone done) override {
    stream_->Read([observers = observers_,
                   done = std::move(done)](absl::StatusOr<std::optional<internal::RawMessage>> message) mutable {
      if (message.ok() && message->has_value())
        observers->Received((*message)->bytes.size(), (*message)->payload.size());
      done(std::move(message));
    });
  }
  void Write(internal::RawMessage message, bool last, WriteDone done) override {
    observers_->Sent(message.bytes.size(), message.payload.size());
    stream_->Write(std::move(message), last, std::move(done));
  }
  void Reject() override { stream_->Reject(); }
  uint64_t PeerReceivedBytes() const override { return stream_->PeerReceivedBytes(); }
  void SendInitialMetadata() override { stream_->SendInitialMetadata(); }

 private:
  const std::shared_ptr<internal::RawServerStream> stream_;
  const std::shared_ptr<call::CallObservers> observers_;
};

}  // namespace pagewire::server
