#include "etcd/http_post.h"

#include <absl/strings/str_cat.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace pagewire::etcd {
namespace {

// A peer that is silent for 10 s is asked whether it is still there, and given up when 10 s later nothing has come:
// within the time that a lease usually has.
constexpr long kKeepaliveSeconds = 10;
constexpr unsigned kUserTimeoutMilliseconds = 20'000;

int PrepareSocket(void*, curl_socket_t fd, curlsocktype) {
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMilliseconds, sizeof(kUserTimeoutMilliseconds));
  return CURL_SOCKOPT_OK;
}

}  // namespace

HttpPost::HttpPost(CurlLoop& loop, const EtcdOptions& options, const std::string& url, std::string body,
                   absl::Duration timeout, OnBody on_body, Done done)
    : loop_(loop),
      body_(std::move(body)),
      on_body_(std::move(on_body)),
      done_(std::move(done)),
      easy_(curl_easy_init()) {
  SetOptions(options, url, timeout);
  loop_.Add(easy_.get(), this);
}

HttpPost::~HttpPost() { loop_.Remove(easy_.get()); }

void HttpPost::SetOptions(const EtcdOptions& options, const std::string& url, absl::Duration timeout) {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // cancelling does not wait for a name that is being looked up
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kKeepaliveSeconds);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kKeepaliveSeconds / 5);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, PrepareSocket);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(options.timeout)));
  if (timeout != absl::InfiniteDuration()) {
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(timeout)));
  }
  if (!options.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!options.certificate_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLCERT, options.certificate_file.c_str());
  if (!options.key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, options.key_file.c_str());

  // A member that lost its cluster would keep a watch open and never say anything; with this it ends the watch.
  headers_.reset(curl_slist_append(nullptr, "Grpc-Metadata-hasleader: true"));
  curl_slist_append(headers_.get(), "Content-Type: application/json");
  curl_slist_append(headers_.get(), "Expect:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body_.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));

  const auto receive = [](char* data, size_t, size_t size, void* self) -> size_t {
    return static_cast<HttpPost*>(self)->Receive({data, size});
  };
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, static_cast<curl_write_callback>(receive));
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
}

int HttpPost::http_code() const {
  long code = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &code);
  return static_cast<int>(code);
}

// Anything but the size of the piece ends the transfer.
size_t HttpPost::Receive(std::string_view piece) {
  refused_ = on_body_(piece);
  return refused_.ok() ? piece.size() : CURL_WRITEFUNC_ERROR;
}

void HttpPost::OnEnded(CURLcode result) {
  Done done = std::exchange(done_, nullptr);
  if (!refused_.ok()) return done(std::exchange(refused_, absl::OkStatus()));
  if (result == CURLE_OK) return done(http_code());
  done(absl::UnavailableError(error_[0] != '\0' ? error_ : curl_easy_strerror(result)));
}

}  // namespace pagewire::etcd
