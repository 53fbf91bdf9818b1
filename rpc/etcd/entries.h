// The addresses that are entered for one service.
#pragma once

#include <pagewire/resolver.h>

#include <set>
#include <string>
#include <string_view>

#include "pagewire/etcd.pb.h"

namespace pagewire::etcd {

// What etcd's answers add up to. Entries that are no addresses are logged and left out. Not thread-safe.
class Entries {
 public:
  explicit Entries(std::string_view service);

  const std::string& service() const { return service_; }
  const std::string& prefix() const { return prefix_; }
  bool empty() const { return addresses_.empty(); }

  void Replace(const RangeResponse& all);
  void Apply(const WatchResponse& changes);

  // In an order that only depends on the set.
  Resolution ToResolution() const { return {{addresses_.begin(), addresses_.end()}, {}}; }

 private:
  void Add(const KeyValue& entry);

  const std::string service_;
  const std::string prefix_;
  std::set<std::string, std::less<>> addresses_;
};

}  // namespace pagewire::etcd
