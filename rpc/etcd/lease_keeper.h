// Keeps one key in etcd for as long as it lives itself.
#pragma once

#include <pagewire/etcd.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>

#include "client/backoff.h"
#include "etcd/curl_loop.h"
#include "etcd/endpoints.h"
#include "etcd/etcd_call.h"

namespace pagewire::etcd {

// Gets a lease, puts the key on it, and keeps the lease alive: three times within its time to live, and by backoff
// while etcd does not answer. A lease that etcd no longer has is followed by a new one. Lives on the loop.
class LeaseKeeper final {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  LeaseKeeper(CurlLoop& loop, const EtcdOptions& options, const std::string& key, const std::string& value,
              absl::Duration ttl);
  ~LeaseKeeper() { loop_.CancelTimer(timer_); }
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  // Once. `done` runs on the loop, when the key is there or the first attempt has failed, as EtcdCall: then nothing
  // follows. It may destroy the keeper.
  void Start(Done done);

  // Once, at any time after Start. Gives the lease back, and with it the key. `done` as above. That of Start does not
  // run any more.
  void Stop(Done done);

 private:
  using Next = void (LeaseKeeper::*)(const std::string& json);

  // Asks; on success goes on with `next`.
  void Call(std::string_view path, const google::protobuf::Message& request, Next next);
  void Grant();
  void OnGranted(const std::string& json);
  void Put();
  void OnPut(const std::string& json);
  void KeepAlive();
  void OnKeptAlive(const std::string& json);
  void OnFailed(const absl::Status& why);

  CurlLoop& loop_;
  Endpoints endpoints_;
  const std::string key_;
  const std::string value_;
  const int64_t wanted_ttl_seconds_;
  client::Backoff backoff_;
  Done started_;  // null once it has run
  int64_t lease_ = 0;
  absl::Duration ttl_;
  bool entered_ = false;  // the key is on the lease
  transport::Loop::TimerId timer_ = 0;
  std::optional<EtcdCall> call_;
};

}  // namespace pagewire::etcd
