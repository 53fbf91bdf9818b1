// The connections of a server, whichever loops they live on.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "call/handler_table.h"
#include "call/server_connection.h"
#include "transport/loop.h"
#include "transport/session_options.h"

namespace pagewire::server {

// Thread-safe. Kept by shared_ptr: in-process channels and connections that are about to close refer to it.
class ConnectionSet final : public std::enable_shared_from_this<ConnectionSet> {
 public:
  // `max_connections`: 0: no limit; further ones are told so and closed. `handlers` must outlive every connection, that
  // is, until WaitUntilEmpty has returned after Drain.
  ConnectionSet(const call::HandlerTable& handlers, transport::SessionOptions options, uint32_t max_connections);

  // Serves a stream, on its loop; called there. UNAVAILABLE once the set is draining.
  absl::Status Add(transport::Loop& loop, std::unique_ptr<transport::ByteStream> stream);

  // Refuses new connections and calls; connections close when their calls have ended.
  void Drain();

  // Ends all calls; connections close once their statuses are out, or after `patience`.
  void Stop(absl::Duration patience);

  // Blocks until no connection is left, or until the deadline, which is asked for again after every change and after
  // WakeWaiter. True when none is left.
  bool WaitUntilEmpty(const std::function<absl::Time()>& deadline);
  void WakeWaiter();

 private:
  struct Entry {
    transport::Loop* loop;
    std::shared_ptr<call::ServerConnection> connection;
  };
  void Remove(uint64_t id);

  // Runs `action` on each connection, on its loop.
  template <typename Action>
  void ForEach(Action action);

  const call::HandlerTable& handlers_;
  const transport::SessionOptions options_;
  const uint32_t max_connections_;
  base::Mutex mutex_;
  base::CondVar changed_;
  absl::flat_hash_map<uint64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewire::server
