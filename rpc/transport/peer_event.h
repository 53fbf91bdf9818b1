// A callback that waits for something the peer will say, and is called whatever becomes of it.
#pragma once

#include <absl/functional/any_invocable.h>

#include <utility>

namespace pagewire::transport {

// Runs its callback once: with true when it is told to, with false when it is destroyed before, because the connection,
// the call or the payload did not get that far. Move-only; may be empty.
class PeerEvent {
 public:
  PeerEvent() = default;
  explicit PeerEvent(absl::AnyInvocable<void(bool)> callback) : callback_(std::move(callback)) {}
  PeerEvent(PeerEvent&& other) noexcept : callback_(std::exchange(other.callback_, nullptr)) {}
  PeerEvent& operator=(PeerEvent&& other) noexcept {
    if (this != &other) {
      Tell(false);
      callback_ = std::exchange(other.callback_, nullptr);
    }
    return *this;
  }
  ~PeerEvent() { Tell(false); }

  explicit operator bool() const { return callback_ != nullptr; }

  void Happened() { Tell(true); }

 private:
  void Tell(bool happened) {
    if (auto callback = std::exchange(callback_, nullptr)) std::move(callback)(happened);
  }

  absl::AnyInvocable<void(bool)> callback_;
};

// What somebody wants to know of a payload that is sent.
struct PayloadEvents {
  PeerEvent received;  // the peer's transport has consumed it
  PeerEvent released;  // the peer's application holds nothing of it any more
};

}  // namespace pagewire::transport
