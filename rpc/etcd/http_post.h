// One HTTP request of the kind that etcd's gateway takes.
#pragma once

#include <pagewire/etcd.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>

#include "etcd/curl_loop.h"

namespace pagewire::etcd {

// A POST of JSON. Lives on the loop; destruction cancels.
class HttpPost final : private CurlTransfer {
 public:
  // Runs on the loop for each piece of the answer's body. Must not destroy the request; an error ends it.
  using OnBody = absl::AnyInvocable<absl::Status(std::string_view)>;

  // Runs once on the loop, never inside the constructor, after the last piece; may destroy the request. The HTTP status
  // code, the error that OnBody returned, or UNAVAILABLE with what curl said.
  using Done = absl::AnyInvocable<void(absl::StatusOr<int>)>;

  // `timeout` is for all of it, or infinite; then a peer that vanishes is found by TCP keepalives. What `options` says
  // of endpoints and time has no meaning here.
  HttpPost(CurlLoop& loop, const EtcdOptions& options, const std::string& url, std::string body, absl::Duration timeout,
           OnBody on_body, Done done);
  ~HttpPost();
  HttpPost(const HttpPost&) = delete;
  HttpPost& operator=(const HttpPost&) = delete;

  // Of the answer, once its body begins; 0 before.
  int http_code() const;

 private:
  struct Free {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  void OnEnded(CURLcode result) override;
  void SetOptions(const EtcdOptions& options, const std::string& url, absl::Duration timeout);
  size_t Receive(std::string_view piece);

  CurlLoop& loop_;
  const std::string body_;
  OnBody on_body_;
  Done done_;
  absl::Status refused_;  // what OnBody returned
  char error_[CURL_ERROR_SIZE] = {};
  std::unique_ptr<curl_slist, Free> headers_;
  std::unique_ptr<CURL, Free> easy_;
};

}  // namespace pagewire::etcd
