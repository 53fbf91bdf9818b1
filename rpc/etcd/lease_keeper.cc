#include "etcd/lease_keeper.h"

#include <pagewire/log.h>

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "pagewire/etcd.pb.h"

namespace pagewire::etcd {
namespace {

// Between attempts while etcd does not answer: short beside a lease, so that the key survives a restart of etcd.
constexpr absl::Duration kFirstDelay = absl::Milliseconds(200);
constexpr absl::Duration kLongestDelay = absl::Seconds(5);

// While a lease runs, an endpoint that does not answer must leave time for the others.
constexpr int kAttemptsPerTtl = 4;

constexpr int kKeepAlivesPerTtl = 3;

}  // namespace

LeaseKeeper::LeaseKeeper(CurlLoop& loop, const EtcdOptions& options, const std::string& key, const std::string& value,
                         absl::Duration ttl)
    : loop_(loop),
      endpoints_(options),
      key_(key),
      value_(value),
      wanted_ttl_seconds_(absl::ToInt64Seconds(absl::Ceil(ttl, absl::Seconds(1)))),
      backoff_(kFirstDelay, kLongestDelay, client::RandomFractions()),
      ttl_(absl::Seconds(wanted_ttl_seconds_)) {}

void LeaseKeeper::Start(Done done) {
  started_ = std::move(done);
  Grant();
}

void LeaseKeeper::Call(std::string_view path, const google::protobuf::Message& request, Next next) {
  const absl::Duration timeout = std::min(endpoints_.options().timeout, ttl_ / kAttemptsPerTtl);
  call_.emplace(loop_, endpoints_, path, request, timeout, [this, next](const absl::StatusOr<std::string>& json) {
    if (!json.ok()) return OnFailed(json.status());
    (this->*next)(*json);
  });
}

void LeaseKeeper::Grant() {
  lease_ = 0;
  entered_ = false;
  LeaseGrantRequest request;
  request.set_ttl(wanted_ttl_seconds_);
  Call("/v3/lease/grant", request, &LeaseKeeper::OnGranted);
}

void LeaseKeeper::OnGranted(const std::string& json) {
  const auto granted = ReadReply<LeaseGrantResponse>(endpoints_, json);
  if (!granted.ok()) return OnFailed(granted.status());
  if (granted->id() == 0 || granted->ttl() <= 0) {
    return OnFailed(absl::UnavailableError(absl::StrCat("etcd at ", endpoints_.current(), " granted no lease")));
  }
  lease_ = granted->id();
  ttl_ = absl::Seconds(granted->ttl());
  Put();
}

void LeaseKeeper::Put() {
  PutRequest request;
  request.set_key(key_);
  request.set_value(value_);
  request.set_lease(lease_);
  Call("/v3/kv/put", request, &LeaseKeeper::OnPut);
}

void LeaseKeeper::OnPut(const std::string&) {
  entered_ = true;
  backoff_.Reset();
  timer_ = loop_.RunAfter(ttl_ / kKeepAlivesPerTtl, [this] { KeepAlive(); });
  if (started_ != nullptr) std::exchange(started_, nullptr)(absl::OkStatus());
}

void LeaseKeeper::KeepAlive() {
  LeaseKeepAliveRequest request;
  request.set_id(lease_);
  Call("/v3/lease/keepalive", request, &LeaseKeeper::OnKeptAlive);
}

void LeaseKeeper::OnKeptAlive(const std::string& json) {
  const auto reply = ReadReply<LeaseKeepAliveReply>(endpoints_, json);
  if (!reply.ok()) return OnFailed(reply.status());
  if (reply->has_error()) return OnFailed(absl::UnavailableError(reply->error().message()));
  if (reply->result().ttl() <= 0) return OnFailed(absl::NotFoundError("the lease has run out"));
  backoff_.Reset();
  timer_ = loop_.RunAfter(ttl_ / kKeepAlivesPerTtl, [this] { KeepAlive(); });
}

void LeaseKeeper::OnFailed(const absl::Status& why) {
  if (started_ != nullptr) return std::exchange(started_, nullptr)(why);
  // Without its lease, or not yet on one, the key is entered by beginning anew.
  const bool anew = !entered_ || absl::IsNotFound(why);
  const absl::Duration delay = backoff_.Next();
  Log(LogSeverity::kWarning,
      absl::StrCat("etcd's key \"", key_, anew ? "\" must be entered anew: " : "\" may run out: ", why.message(),
                   "; next attempt in ", absl::FormatDuration(absl::Trunc(delay, absl::Milliseconds(1)))));
  timer_ = loop_.RunAfter(delay, [this, anew] { anew ? Grant() : KeepAlive(); });
}

void LeaseKeeper::Stop(Done done) {
  started_ = nullptr;
  loop_.CancelTimer(timer_);
  call_.reset();
  if (lease_ == 0) return done(absl::OkStatus());
  LeaseRevokeRequest request;
  request.set_id(lease_);
  call_.emplace(loop_, endpoints_, "/v3/lease/revoke", request, endpoints_.options().timeout,
                [done = std::move(done)](const absl::StatusOr<std::string>& answer) mutable {
                  done(absl::IsNotFound(answer.status()) ? absl::OkStatus() : answer.status());
                });
}

}  // namespace pagewire::etcd
