#include "server/service_registry.h"

#include <pagewire/internal/block_pool.h>
#include <pagewire/internal/service_access.h>
#include <pagewire/server_context.h>

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "base/string_view.h"
#include "call/interception.h"
#include "server/generic_method.h"
#include "server/observed_stream.h"

namespace pagewire {

namespace server {

using internal::RawMessage;
using internal::RegisteredMethod;
using internal::ServiceAccess;

namespace {

// See Admission::Options.
constexpr uint32_t kFairness = 8;

// The handler counts as running until `done` is gone, too.
call::HandlerTable::Done Counted(RunningHandlers::Token running, call::HandlerTable::Done done) {
  return internal::Box(
      [running = std::move(running), done = std::move(done)](absl::StatusOr<RawMessage> reply) mutable {
        std::exchange(done, nullptr)(std::move(reply));
      });
}

}  // namespace

ServiceRegistry::ServiceRegistry(std::shared_ptr<Executor> executor, call::MethodTermsTable method_terms,
                                 uint32_t max_calls)
    : method_terms_(std::move(method_terms)),
      admission_(std::make_shared<call::Admission>(
          call::Admission::Options{.max_calls = max_calls,
                                   .fairness = kFairness,
                                   .where = "on this server",
                                   .option = "ServerBuilder::SetMaxConcurrentCalls",
                                   .method_option = "MethodLimits::max_concurrent_calls"})),
      executor_(std::move(executor)) {
  method_terms_.LimitCalls(*admission_);
}

absl::Status ServiceRegistry::Add(const Service* service, HandlerPlace place) {
  if (service == nullptr) return absl::InvalidArgumentError("RegisterService: the service is null");
  const std::string& name = ServiceAccess::full_name(*service);
  const auto place_of_name = std::lower_bound(services_.begin(), services_.end(), name);
  const bool generic = name == kGenericMethod.name;
  if (generic ? methods_.contains(name) : place_of_name != services_.end() && *place_of_name == name) {
    return absl::AlreadyExistsError(absl::StrCat("RegisterService: a service named ", name, " is registered already"));
  }
  if (!generic) services_.insert(place_of_name, name);
  for (const RegisteredMethod& method : ServiceAccess::methods(*service))
    methods_.emplace(method.method->name, Served{&method, place});
  return absl::OkStatus();
}

const Method* ServiceRegistry::Find(std::string_view name, absl::Status& unknown) const {
  if (const auto it = methods_.find(name); it != methods_.end()) return it->second.method->method;
  if (const auto it = methods_.find(kGenericMethod.name); it != methods_.end()) return it->second.method->method;
  const size_t slash = name.rfind('/');
  const bool has_service = slash != std::string_view::npos && slash > 0 &&
                           std::binary_search(services_.begin(), services_.end(), name.substr(1, slash - 1));
  unknown = absl::UnimplementedError(
      absl::StrCat("this server has no ", has_service ? "method " : "service for ", base::ToAbsl(name)));
  return nullptr;
}

void ServiceRegistry::RunIntercepted(const RegisteredMethod& registered, std::shared_ptr<ServerContext> context,
                                     RawMessage request, std::shared_ptr<internal::RawServerStream> stream,
                                     Done done) const {
  const Method& method = *registered.method;
  absl::StatusOr<std::shared_ptr<call::CallObservers>> asked = call::Intercept(interceptors_, method, *context);
  internal::ServerContextAccess::State(*context)->Watch(asked.ok() ? *asked : nullptr);
  if (!asked.ok()) return done(std::move(asked).status());
  if (const std::shared_ptr<call::CallObservers> observers = *std::move(asked)) {
    if (method.piecewise || !StreamsRequest(method.type))
      observers->Received(request.bytes.size(), request.payload.size());
    if (stream != nullptr) stream = std::make_shared<ObservedStream>(std::move(stream), observers);
    done = [observers, unary = method.type == MethodType::kUnary,
            done = std::move(done)](absl::StatusOr<RawMessage> reply) mutable {
      if (unary && reply.ok()) observers->Sent(reply->bytes.size(), reply->payload.size());
      observers->End(reply.status());
      std::exchange(done, nullptr)(std::move(reply));
    };
  }
  registered.handler(std::move(context), std::move(request), std::move(stream), std::move(done));
}

void ServiceRegistry::Run(const Method& method, std::shared_ptr<internal::ServerCallState> state, RawMessage request,
                          std::shared_ptr<internal::RawServerStream> stream, Done done) const {
  const Served& served = methods_.find(method.name)->second;
  if (!interceptors_.empty()) state->AwaitWatch();
  if (served.place == HandlerPlace::kInline && stream != nullptr) stream->set_complete_on(internal::CompleteOn::kLoop);
  auto run = [this, &registered = *served.method, running = running_.Begin(), state = std::move(state),
              request = std::move(request), stream = std::move(stream), done = std::move(done)]() mutable {
    std::shared_ptr<ServerContext> context = internal::ServerContextAccess::Make(std::move(state));
    done = Counted(running_.Begin(), std::move(done));  // beside the closure's own: either may end first
    if (!interceptors_.empty()) {
      return RunIntercepted(registered, std::move(context), std::move(request), std::move(stream), std::move(done));
    }
    registered.handler(std::move(context), std::move(request), std::move(stream), std::move(done));
  };
  if (served.place == HandlerPlace::kInline) return run();
  executor_->Run(internal::Box(std::move(run)));
}

}  // namespace server
}  // namespace pagewire
