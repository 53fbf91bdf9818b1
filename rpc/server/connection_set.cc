#include "server/connection_set.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "call/directory.h"
#include "payload/budget.h"

namespace pagewire::server {
namespace {

transport::SessionOptions WithOwner(transport::SessionOptions options) {
  options.owner = call::Directory::Process().NewOwner();
  return options;
}

}  // namespace

ConnectionSet::ConnectionSet(const call::HandlerTable& handlers, transport::SessionOptions options,
                             uint32_t max_connections)
    : handlers_(handlers), options_(WithOwner(std::move(options))), max_connections_(max_connections) {}

absl::Status ConnectionSet::Add(transport::Loop& loop, std::unique_ptr<transport::ByteStream> stream) {
  std::shared_ptr<call::ServerConnection> connection;
  bool full = false;
  {
    base::MutexLock lock(mutex_);
    if (draining_) return absl::UnavailableError("the server is shutting down");
    full = max_connections_ > 0 && entries_.size() >= max_connections_;
    const uint64_t id = ++last_id_;
    transport::SessionOptions options = options_;
    // A level of its own, so that what it waits for can be told from what the others do.
    options.held_budget = std::make_shared<memory::Budget>("connection", memory::Budget::kNoLimit, "",
                                                           options_.held_budget.get(), stream->peer());
    connection = std::make_shared<call::ServerConnection>(loop, std::move(stream), handlers_, std::move(options),
                                                          [self = shared_from_this(), id] { self->Remove(id); });
    entries_.emplace(id, Entry{&loop, connection});
  }
  connection->Start();
  if (full) {
    connection->Fail(absl::ResourceExhaustedError(
        absl::StrCat("the server has ", max_connections_,
                     " connections, which is its limit; raise ServerBuilder::SetMaxConnections")));
  }
  return absl::OkStatus();
}

void ConnectionSet::Remove(uint64_t id) {
  std::shared_ptr<call::ServerConnection> last;  // destroyed outside the lock, by the loop, after its callback
  transport::Loop* loop = nullptr;
  {
    base::MutexLock lock(mutex_);
    const auto it = entries_.find(id);
    last = std::move(it->second.connection);
    loop = it->second.loop;
  }
  loop->Post([self = shared_from_this(), id, last = std::move(last)]() mutable {
    last.reset();
    base::MutexLock lock(self->mutex_);
    self->entries_.erase(id);
    self->changed_.NotifyAll();
  });
}

template <typename Action>
void ConnectionSet::ForEach(Action action) {
  base::MutexLock lock(mutex_);
  for (const auto& [id, entry] : entries_) {
    if (entry.connection == nullptr) continue;
    entry.loop->Post([connection = entry.connection, action] { action(*connection); });
  }
}

void ConnectionSet::Drain() {
  {
    base::MutexLock lock(mutex_);
    draining_ = true;
  }
  ForEach([](call::ServerConnection& connection) { connection.Drain(); });
}

void ConnectionSet::Stop(absl::Duration patience) {
  ForEach([patience](call::ServerConnection& connection) { connection.Stop(patience); });
}

bool ConnectionSet::WaitUntilEmpty(const std::function<absl::Time()>& deadline) {
  base::MutexLock lock(mutex_);
  while (!entries_.empty()) {
    const absl::Duration left = deadline() - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    changed_.WaitFor(mutex_, left);
  }
  return true;
}

void ConnectionSet::WakeWaiter() {
  base::MutexLock lock(mutex_);
  changed_.NotifyAll();
}

}  // namespace pagewire::server
