// The members of the cluster, and which of them is asked.
#pragma once

#include <pagewire/etcd.h>

#include <absl/status/status.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace pagewire::etcd {

// INVALID_ARGUMENT says which option cannot work, and why.
absl::Status CheckOptions(const EtcdOptions& options);

// Of one user, who stays with a member as long as that answers. Not thread-safe.
class Endpoints {
 public:
  // The options have been checked.
  explicit Endpoints(EtcdOptions options) : options_(std::move(options)) {}

  const EtcdOptions& options() const { return options_; }
  size_t count() const { return options_.endpoints.size(); }
  const std::string& current() const { return options_.endpoints[current_]; }
  void UseNext() { current_ = (current_ + 1) % count(); }

  // Of the current one; `path` begins with a slash.
  std::string Url(std::string_view path) const;

 private:
  const EtcdOptions options_;
  size_t current_ = 0;
};

}  // namespace pagewire::etcd
