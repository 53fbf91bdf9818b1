// What a channel's target stands for, as its resolver said last.
#pragma once

#include <pagewire/resolver.h>

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace pagewire::client {

// Thread-safe.
class NameWatch {
 public:
  // Targets as in pagewire/channel.h. Nothing is looked up before Start.
  explicit NameWatch(std::string_view target);
  ~NameWatch();
  NameWatch(const NameWatch&) = delete;
  NameWatch& operator=(const NameWatch&) = delete;

  // Begins to resolve, the first time.
  void Start();

  struct Answer {
    std::shared_ptr<const Resolution> resolution;  // the last one; null: none yet
    absl::Status error;  // why there is none, once that is known. INVALID_ARGUMENT: there never will be
  };
  Answer Get() const;

  // Runs `changed` after each answer, on any thread; it must not block. Unsubscribe waits until it is not running, so
  // it is not for use inside of it.
  using Subscription = uint64_t;
  Subscription Subscribe(std::function<void()> changed);
  void Unsubscribe(Subscription subscription);

  // An address has failed: look again soon.
  void Refresh();

  const std::string& target() const { return target_; }

  // The name in the target that certificates are for; empty if it has none.
  const std::string& host() const { return host_; }

  // Whether answers may bring a service config: they do not for names in DNS and for addresses.
  bool may_configure() const { return may_configure_; }

 private:
  // What the resolver's callback keeps: it may not be the one that destroys the resolver.
  struct State {
    mutable base::Mutex mutex;
    Answer answer ABSL_GUARDED_BY(mutex);

    // Held while they run.
    base::Mutex subscribers_mutex;
    std::map<Subscription, std::function<void()>> subscribers ABSL_GUARDED_BY(subscribers_mutex);

    void Set(absl::StatusOr<Resolution> answered);
  };

  absl::StatusOr<std::unique_ptr<Resolver>> MakeResolver();

  const std::string target_;
  std::string host_;
  bool may_configure_ = false;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  base::Mutex mutex_;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  Subscription last_subscription_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<Resolver> resolver_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::client
