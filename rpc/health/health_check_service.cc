#include <pagewire/health.h>
#include <pagewire/server_context.h>

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/string_view.h"
#include "grpc/health/v1/health.pagewire.h"
#include "health/watcher.h"

namespace pagewire {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using health::ServingStatus;
using health::Watcher;

ServingStatus StatusOf(bool serving) {
  return serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

}  // namespace

class HealthCheckService::Impl final : public grpc::health::v1::Health::CallbackService {
 public:
  Impl() { Set("", HealthCheckResponse::SERVING); }

  void Set(std::string_view service, ServingStatus status) {
    std::vector<std::shared_ptr<Watcher>> watchers;
    uint64_t version = 0;
    {
      base::MutexLock lock(mutex_);
      if (shut_down_) return;
      statuses_[base::ToAbsl(service)] = status;
      version = ++version_;
      for (const auto& [watched, weak] : watchers_) {
        if (watched != service) continue;
        if (auto watcher = weak.lock()) watchers.push_back(std::move(watcher));
      }
    }
    for (const auto& watcher : watchers) watcher->Tell(status, version);
  }

  void SetAll(ServingStatus status, bool for_ever) {
    std::vector<std::string> services;
    {
      base::MutexLock lock(mutex_);
      for (const auto& [service, old] : statuses_) services.push_back(service);
    }
    for (const std::string& service : services) Set(service, status);
    base::MutexLock lock(mutex_);
    shut_down_ = shut_down_ || for_ever;
  }

 private:
  void Check(ServerContext&, const HealthCheckRequest& request,
             absl::AnyInvocable<void(absl::StatusOr<HealthCheckResponse>)> done) override {
    HealthCheckResponse response;
    bool known = false;
    {
      base::MutexLock lock(mutex_);
      const auto it = statuses_.find(request.service());
      known = it != statuses_.end();
      if (known) response.set_status(it->second);
    }
    if (known) return done(std::move(response));
    done(absl::NotFoundError(absl::StrCat("nothing is known of the health of \"", request.service(), "\"")));
  }

  void Watch(ServerContext& context, const HealthCheckRequest& request, AsyncServerWriter<HealthCheckResponse> writer,
             absl::AnyInvocable<void(absl::Status)> done) override {
    const auto watcher = std::make_shared<Watcher>(std::move(writer), std::move(done));
    ServingStatus status = HealthCheckResponse::SERVICE_UNKNOWN;
    uint64_t version = 0;
    {
      base::MutexLock lock(mutex_);
      if (watchers_.size() >= 2 * open_watchers_) {
        std::erase_if(watchers_, [](const Watching& watching) { return watching.watcher.expired(); });
        open_watchers_ = watchers_.size() + 1;
      }
      watchers_.push_back({request.service(), watcher});
      const auto it = statuses_.find(request.service());
      if (it != statuses_.end()) status = it->second;
      version = version_;
    }
    watcher->Tell(status, version);
    // Keeps the watcher; runs when the client goes or the server shuts down.
    context.OnCancelled([watcher] { watcher->End(absl::CancelledError("nobody watches any more")); });
  }

  struct Watching {
    std::string service;
    std::weak_ptr<Watcher> watcher;
  };

  base::Mutex mutex_;
  absl::flat_hash_map<std::string, ServingStatus> statuses_ ABSL_GUARDED_BY(mutex_);
  std::vector<Watching> watchers_ ABSL_GUARDED_BY(mutex_);  // some of them may be gone
  size_t open_watchers_ ABSL_GUARDED_BY(mutex_) = 1;        // when that was last looked at, and one more
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

HealthCheckService::HealthCheckService() : impl_(std::make_unique<Impl>()) {}
HealthCheckService::~HealthCheckService() = default;

Service* HealthCheckService::service() { return impl_.get(); }

void HealthCheckService::SetServingStatus(std::string_view service, bool serving) {
  impl_->Set(service, StatusOf(serving));
}

void HealthCheckService::SetServingStatus(bool serving) { impl_->SetAll(StatusOf(serving), /*for_ever=*/false); }

void HealthCheckService::Shutdown() { impl_->SetAll(HealthCheckResponse::NOT_SERVING, /*for_ever=*/true); }

}  // namespace pagewire
