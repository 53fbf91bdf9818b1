#include "server/service_registry.h"

#include <pagewire/internal/service_access.h>
#include <pagewire/server_context.h>

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/string_view.h"

namespace pagewire {

struct internal::ServerContextAccess {
  // The context lives on the handler's stack.
  template <typename Function>
  static auto With(std::shared_ptr<ServerCallState> state, Function function) {
    ServerContext context(std::move(state));
    return function(context);
  }
};

namespace server {

using internal::RawReply;
using internal::RegisteredMethod;
using internal::ServiceAccess;

ServiceRegistry::ServiceRegistry(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {}

absl::Status ServiceRegistry::Add(const Service* service) {
  if (service == nullptr) return absl::InvalidArgumentError("RegisterService: the service is null");
  if (!services_.insert(ServiceAccess::full_name(*service)).second) {
    return absl::AlreadyExistsError(absl::StrCat("RegisterService: a service named ",
                                                 ServiceAccess::full_name(*service), " is registered already"));
  }
  for (const RegisteredMethod& method : ServiceAccess::methods(*service))
    methods_.emplace(method.method->name, &method);
  return absl::OkStatus();
}

const Method* ServiceRegistry::Find(std::string_view name, absl::Status& unknown) const {
  const auto it = methods_.find(name);
  if (it != methods_.end()) return it->second->method;
  const size_t slash = name.rfind('/');
  const bool has_service =
      slash != std::string_view::npos && slash > 0 && services_.contains(base::ToAbsl(name.substr(1, slash - 1)));
  unknown = absl::UnimplementedError(
      absl::StrCat("this server has no ", has_service ? "method " : "service for ", base::ToAbsl(name)));
  return nullptr;
}

void ServiceRegistry::Run(const Method& method, std::shared_ptr<internal::ServerCallState> state, std::string request,
                          Payload payload, Done done) const {
  const RegisteredMethod& registered = *methods_.find(method.name)->second;
  {
    base::MutexLock lock(mutex_);
    ++running_;
  }
  executor_->Run([this, &registered, state = std::move(state), request = std::move(request),
                  payload = std::move(payload), done = std::move(done)]() mutable {
    std::move(done)(internal::ServerContextAccess::With(
        state, [&](ServerContext& context) { return registered.handler(context, request, std::move(payload)); }));
    // What the handler was given goes before the server may: its service may own what a payload's release touches.
    state.reset();
    payload = Payload();
    base::MutexLock lock(mutex_);
    if (--running_ == 0) idle_.NotifyAll();
  });
}

void ServiceRegistry::WaitForHandlers() const {
  base::MutexLock lock(mutex_);
  while (running_ > 0) idle_.Wait(mutex_);
}

}  // namespace server
}  // namespace pagewire
