// A running server.
#pragma once

#include <absl/time/time.h>

#include <memory>

namespace pagewire {

namespace internal {
class StreamSource;
struct ServerAccess;
}  // namespace internal

// Made by ServerBuilder::BuildAndStart. Thread-safe.
class Server {
 public:
  // Shuts down with a deadline of now if Shutdown was not called, and waits until no handler runs any more.
  virtual ~Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Blocks until the server has been shut down. Never call it from a handler: it would wait for itself.
  virtual void Wait() = 0;

  // Stops accepting connections and calls, lets the calls in flight finish until `deadline`, then cancels them (their
  // clients see UNAVAILABLE) and closes every connection once its last status has left. Later calls on existing
  // connections are refused with UNAVAILABLE, not started. Blocks until that is done, except for handlers that ignore
  // their cancellation: those are waited for by the destructor. Calling it again waits for the first to end, and an
  // earlier deadline takes effect.
  virtual void Shutdown(absl::Time deadline) = 0;

  // Shutdown without patience: calls in flight are cancelled at once.
  void Shutdown() { Shutdown(absl::InfinitePast()); }

 protected:
  Server() = default;

 private:
  friend struct internal::ServerAccess;
  virtual std::shared_ptr<internal::StreamSource> in_process_source() = 0;
};

}  // namespace pagewire
