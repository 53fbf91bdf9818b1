// What answers like etcd's gateway, or not at all like it: as a test says.
#pragma once

#include <absl/functional/any_invocable.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/unique_fd.h"

namespace pagewire::etcd {

// One request per connection, one connection at a time. Thread-safe.
class FakeGateway {
 public:
  // From a request's path ("/v3/kv/range") to the answer, as it goes over the wire; "" for none. The connection is
  // closed after an answer, and kept without one until the gateway is destroyed.
  using Answer = absl::AnyInvocable<std::string(std::string_view path)>;

  explicit FakeGateway(Answer answer);
  ~FakeGateway();

  // An answer with status 200.
  static std::string Ok(std::string_view body);

  std::string endpoint() const;

  // Blocks until `path` was asked for the `count`-th time.
  void WaitForRequests(std::string_view path, int count);

 private:
  void Serve();
  void ServeOne(base::UniqueFd connection);

  base::UniqueFd listener_;
  base::UniqueFd stop_;
  Answer answer_;
  std::vector<base::UniqueFd> silent_;  // of the thread

  base::Mutex mutex_;
  base::CondVar asked_;
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace pagewire::etcd
