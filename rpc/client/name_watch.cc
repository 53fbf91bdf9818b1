#include "client/name_watch.h"

#include <utility>

#include "base/status.h"
#include "client/dns_resolver.h"
#include "client/resolver_registry.h"
#include "transport/address.h"

namespace pagewire::client {
namespace {

std::shared_ptr<const ResolverFactory> FactoryFor(std::string_view target) {
  const size_t colon = target.find(':');
  return colon == std::string_view::npos ? nullptr : FindResolver(target.substr(0, colon));
}

}  // namespace

void NameWatch::State::Set(absl::StatusOr<Resolution> answered) {
  {
    base::MutexLock lock(mutex);
    if (answered.ok()) {
      answer.resolution = std::make_shared<const Resolution>(*std::move(answered));
      answer.error = absl::OkStatus();
    } else {
      answer.error = base::CloneStatus(answered.status());
    }
  }
  base::MutexLock lock(subscribers_mutex);
  for (const auto& [id, changed] : subscribers) changed();
}

NameWatch::NameWatch(std::string_view target) : target_(target) {
  if (FactoryFor(target) != nullptr) {
    may_configure_ = true;
  } else if (const absl::StatusOr<transport::Target> parsed = transport::ParseTarget(target); parsed.ok()) {
    host_ = parsed->host;
  }
}

NameWatch::~NameWatch() {
  std::unique_ptr<Resolver> resolver;
  base::MutexLock lock(mutex_);
  resolver = std::move(resolver_);
}

absl::StatusOr<std::unique_ptr<Resolver>> NameWatch::MakeResolver() {
  ResolutionCallback callback = [state = state_](absl::StatusOr<Resolution> answered) {
    state->Set(std::move(answered));
  };
  if (const auto factory = FactoryFor(target_)) return (*factory)(target_, std::move(callback));
  absl::StatusOr<transport::Target> parsed = transport::ParseTarget(target_);
  if (!parsed.ok()) return std::move(parsed).status();
  if (parsed->addresses.empty()) return MakeDnsResolver(*parsed, std::move(callback));
  Resolution resolution;
  for (const transport::SocketAddress& address : parsed->addresses) resolution.addresses.push_back(address.ToString());
  state_->Set(std::move(resolution));
  return nullptr;
}

void NameWatch::Start() {
  base::MutexLock lock(mutex_);
  if (std::exchange(started_, true)) return;
  absl::StatusOr<std::unique_ptr<Resolver>> resolver = MakeResolver();
  if (resolver.ok()) {
    resolver_ = *std::move(resolver);
  } else {
    state_->Set(std::move(resolver).status());
  }
}

NameWatch::Answer NameWatch::Get() const {
  base::MutexLock lock(state_->mutex);
  return {state_->answer.resolution, base::CloneStatus(state_->answer.error)};
}

NameWatch::Subscription NameWatch::Subscribe(std::function<void()> changed) {
  Subscription id = 0;
  {
    base::MutexLock lock(mutex_);
    id = ++last_subscription_;
  }
  base::MutexLock lock(state_->subscribers_mutex);
  state_->subscribers.emplace(id, std::move(changed));
  return id;
}

void NameWatch::Unsubscribe(Subscription subscription) {
  base::MutexLock lock(state_->subscribers_mutex);
  state_->subscribers.erase(subscription);
}

void NameWatch::Refresh() {
  base::MutexLock lock(mutex_);
  if (resolver_ != nullptr) resolver_->Refresh();
}

}  // namespace pagewire::client
