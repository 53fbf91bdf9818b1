// Follows what changes in a range of keys.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "etcd/curl_loop.h"
#include "etcd/endpoints.h"
#include "etcd/http_post.h"
#include "pagewire/etcd.pb.h"

namespace pagewire::etcd {

// Asks the current endpoint once, and reads what that says until it ends. Lives on the loop; destruction cancels.
class Watch final {
 public:
  // Runs on the loop for each of etcd's answers, first for one with `created`; must not destroy the watch.
  using OnResponse = absl::AnyInvocable<void(const WatchResponse&)>;

  // Runs once on the loop, never inside the constructor; may destroy the watch. Why nothing comes any more:
  // OUT_OF_RANGE when the revision is so old that etcd has forgotten it, otherwise UNAVAILABLE or what etcd said.
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // Of the keys from `key` to before `range_end`, beginning with what happened at `revision`.
  Watch(CurlLoop& loop, const Endpoints& endpoints, const std::string& key, const std::string& range_end,
        int64_t revision, OnResponse on_response, Done done);

 private:
  absl::Status Receive(std::string_view piece);
  absl::Status Read(std::string_view line);
  void OnEnded(absl::StatusOr<int> code);

  const std::string endpoint_;
  OnResponse on_response_;
  Done done_;
  std::string unread_;  // the beginning of a line
  HttpPost post_;
};

}  // namespace pagewire::etcd
