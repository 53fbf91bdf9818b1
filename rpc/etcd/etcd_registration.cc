#include <pagewire/etcd.h>
#include <pagewire/internal/blocking.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"
#include "base/string_view.h"
#include "etcd/curl_loop.h"
#include "etcd/endpoints.h"
#include "etcd/lease_keeper.h"
#include "etcd/service_key.h"
#include "transport/address.h"

namespace pagewire {
namespace {

constexpr absl::Duration kShortestTtl = absl::Seconds(2);
constexpr absl::Duration kLongestTtl = absl::Hours(24);  // a dead server for longer than a day is an entry by hand

absl::Status CheckService(std::string_view service) {
  if (etcd::IsServiceName(service)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", absl::CHexEscape(base::ToAbsl(service)),
                   "\" cannot be a service in etcd: expected a name without '/' and control characters"));
}

absl::Status CheckTtl(absl::Duration ttl) {
  if (ttl >= kShortestTtl && ttl <= kLongestTtl) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the lease's time to live is ", absl::FormatDuration(ttl),
                                                 ": it must be from ", absl::FormatDuration(kShortestTtl), " to ",
                                                 absl::FormatDuration(kLongestTtl)));
}

// As a resolver hands it on.
absl::StatusOr<std::string> CanonicalAddress(std::string_view text) {
  const auto target = transport::ParseTarget(text);
  if (!target.ok()) return target.status();
  const auto bad = [&](std::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", base::ToAbsl(text), "\" cannot be registered: ", base::ToAbsl(why)));
  };
  if (target->addresses.empty()) return bad("it is a name; register an address");
  if (target->addresses.size() > 1) return bad("it has several addresses; register each");
  if (target->addresses.front().is_any()) return bad("nobody can connect to it; register an address of this machine");
  return target->addresses.front().ToString();
}

}  // namespace

class EtcdRegistration::Impl {
 public:
  Impl(std::shared_ptr<etcd::CurlLoop> loop, const EtcdOptions& options, const std::string& key,
       const std::string& value, absl::Duration ttl)
      : loop_(std::move(loop)), keeper_(std::make_shared<etcd::LeaseKeeper>(*loop_, options, key, value, ttl)) {}

  ~Impl() {
    loop_->Post([keeper = std::move(keeper_)]() mutable { keeper.reset(); });
  }

  absl::Status Start() { return RunOnLoop(&etcd::LeaseKeeper::Start); }

  absl::Status Stop() {
    base::MutexLock lock(mutex_);
    if (!stopped_.has_value()) stopped_ = RunOnLoop(&etcd::LeaseKeeper::Stop);
    return base::CloneStatus(*stopped_);
  }

 private:
  absl::Status RunOnLoop(void (etcd::LeaseKeeper::*step)(etcd::LeaseKeeper::Done)) {
    absl::Status result;
    internal::Gate ended;
    loop_->Post([keeper = keeper_.get(), step, &result, ended]() mutable {
      (keeper->*step)([&result, ended](const absl::Status& status) mutable {
        result = base::CloneStatus(status);
        ended.Open();
      });
    });
    ended.Wait();
    return result;
  }

  const std::shared_ptr<etcd::CurlLoop> loop_;
  std::shared_ptr<etcd::LeaseKeeper> keeper_;  // destroyed on the loop
  base::Mutex mutex_;
  std::optional<absl::Status> stopped_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<EtcdRegistration>> EtcdRegistration::Register(EtcdOptions options,
                                                                             std::string_view service,
                                                                             std::string_view address,
                                                                             absl::Duration lease_ttl) {
  absl::Status checked = etcd::CheckOptions(options);
  if (checked.ok()) checked = CheckService(service);
  if (checked.ok()) checked = CheckTtl(lease_ttl);
  if (!checked.ok()) return checked;
  const auto canonical = CanonicalAddress(address);
  if (!canonical.ok()) return canonical.status();
  if (internal::OnLoopThread()) {
    return absl::FailedPreconditionError("EtcdRegistration::Register blocks, and this is one of the library's loops");
  }
  auto loop = etcd::CurlLoop::Shared();
  if (!loop.ok()) return loop.status();

  auto impl =
      std::make_unique<Impl>(*std::move(loop), options, etcd::EntryKey(service, *canonical), *canonical, lease_ttl);
  const absl::Status started = impl->Start();
  if (!started.ok()) {
    return base::Annotate(started,
                          absl::StrCat("cannot register ", *canonical, " for \"", base::ToAbsl(service), "\""));
  }
  return std::unique_ptr<EtcdRegistration>(new EtcdRegistration(std::move(impl)));
}

EtcdRegistration::EtcdRegistration(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EtcdRegistration::~EtcdRegistration() { (void)Deregister(); }

absl::Status EtcdRegistration::Deregister() {
  if (internal::OnLoopThread()) {
    return absl::FailedPreconditionError("EtcdRegistration::Deregister blocks, and this is one of the library's loops");
  }
  return impl_->Stop();
}

}  // namespace pagewire
