// The methods that a server serves, by name, and the running of their handlers.
#pragma once

#include <pagewire/executor.h>
#include <pagewire/service.h>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>

#include <memory>
#include <string>
#include <string_view>

#include "call/handler_table.h"
#include "server/running_handlers.h"

namespace pagewire::server {

// Filled by one thread, then constant but for the count of running handlers: thread-safe.
class ServiceRegistry final : public call::HandlerTable {
 public:
  explicit ServiceRegistry(std::shared_ptr<Executor> executor);

  // `service` outlives the registry. INVALID_ARGUMENT for null, ALREADY_EXISTS for a second service of one name.
  absl::Status Add(const Service* service);

  const Method* Find(std::string_view name, absl::Status& unknown) const override;
  void Run(const Method& method, std::shared_ptr<internal::ServerCallState> state, internal::RawMessage request,
           std::shared_ptr<internal::RawServerStream> stream, Done done) const override;

  // Blocks until no handler is running or about to. Nothing may start one meanwhile.
  void WaitForHandlers() const { running_.WaitForAll(); }

 private:
  absl::flat_hash_set<std::string> services_;
  absl::flat_hash_map<std::string_view, const internal::RegisteredMethod*> methods_;
  mutable RunningHandlers running_;
  const std::shared_ptr<Executor> executor_;
};

}  // namespace pagewire::server
