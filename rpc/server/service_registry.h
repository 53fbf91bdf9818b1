// The methods that a server serves, by name, and the running of their handlers.
#pragma once

#include <pagewire/executor.h>
#include <pagewire/interceptor.h>
#include <pagewire/service.h>

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "call/admission.h"
#include "call/handler_table.h"
#include "call/method_terms.h"
#include "server/running_handlers.h"

namespace pagewire::server {

enum class HandlerPlace { kExecutor, kInline };

// Filled by one thread, then constant but for the count of running handlers: thread-safe.
class ServiceRegistry final : public call::HandlerTable {
 public:
  // `max_calls`: in flight at a time, 0: no limit.
  explicit ServiceRegistry(std::shared_ptr<Executor> executor, call::MethodTermsTable method_terms = {},
                           uint32_t max_calls = 0);

  // `service` outlives the registry. INVALID_ARGUMENT for null, ALREADY_EXISTS for a second service of one name.
  absl::Status Add(const Service* service, HandlerPlace place = HandlerPlace::kExecutor);

  // Asked about every call, after those that were added before.
  void Add(std::shared_ptr<ServerInterceptor> interceptor) { interceptors_.push_back(std::move(interceptor)); }

  const Method* Find(std::string_view name, absl::Status& unknown) const override;
  const call::MethodTerms* TermsOf(std::string_view name) const override { return method_terms_.Find(name); }
  absl::StatusOr<call::Place> Admit(std::string_view name, uint64_t own) const override {
    return admission_->Admit(name, own);
  }
  absl::Span<const std::string> ServiceNames() const override { return services_; }
  void Run(const Method& method, std::shared_ptr<internal::ServerCallState> state, internal::RawMessage request,
           std::shared_ptr<internal::RawServerStream> stream, Done done) const override;

  // Blocks until no handler is running or about to. Nothing may start one meanwhile.
  void WaitForHandlers() const { running_.WaitForAll(); }

 private:
  std::vector<std::string> services_;  // sorted, without the generic one
  // The handler behind the interceptors.
  void RunIntercepted(const internal::RegisteredMethod& registered, std::shared_ptr<ServerContext> context,
                      internal::RawMessage request, std::shared_ptr<internal::RawServerStream> stream, Done done) const;

  std::vector<std::shared_ptr<ServerInterceptor>> interceptors_;
  struct Served {
    const internal::RegisteredMethod* method;
    HandlerPlace place;
  };
  absl::flat_hash_map<std::string_view, Served> methods_;
  const call::MethodTermsTable method_terms_;
  const std::shared_ptr<call::Admission> admission_;
  const RunningHandlers running_;
  const std::shared_ptr<Executor> executor_;
};

}  // namespace pagewire::server
