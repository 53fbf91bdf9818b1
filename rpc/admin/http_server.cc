#include "admin/http_server.h"

#include <httplib.h>
#include <pagewire/log.h>
#include <signal.h>

#include <string>
#include <utility>

#include "admin/http_listener.h"

namespace pagewire::admin {
namespace {

// What cpp-httplib reads and writes.
class Stream final : public httplib::Stream {
 public:
  explicit Stream(HttpConnection& connection) : connection_(connection) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* out, size_t size) override { return connection_.Read(out, size); }
  ssize_t write(const char* data, size_t size) override { return connection_.Write(data, size); }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}

  // Not connection_.fd(): it answers 500 where that is 1024 or more, which its own sockets cannot be because it calls
  // select, and processes with many connections would lose their metrics.
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  HttpConnection& connection_;
};

// httplib::Server's constructor has the process ignore SIGPIPE, which is the program's to decide, and not needed here.
class KeepsSigpipe {
 public:
  KeepsSigpipe() { sigaction(SIGPIPE, nullptr, &before_); }
  ~KeepsSigpipe() { sigaction(SIGPIPE, &before_, nullptr); }

 private:
  struct sigaction before_;
};

// cpp-httplib's server without its sockets and threads: it waits for idle clients when it stops, and bounds a request
// neither in time nor, if it is chunked, in bytes.
class Pages final : public httplib::Server {
 public:
  explicit Pages(std::map<std::string, HttpPage> pages) : pages_(std::move(pages)) {
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      Answer(request, response);
      return HandlerResponse::Handled;  // before a body is read, of which no page knows what to do
    });
  }

  void Serve(HttpConnection& connection) {
    Stream stream(connection);
    bool closed = false;
    // An answer is sent whole, whatever parts of it a client asks for, and how often.
    process_request(stream, /*close_connection=*/true, closed,
                    [](httplib::Request& request) { request.ranges.clear(); });
  }

 private:
  void Answer(const httplib::Request& request, httplib::Response& response) const {
    const auto page = pages_.find(request.path);
    HttpAnswer answer;
    if (page == pages_.end()) {
      answer = {.status = 404, .body = "not found\n"};
    } else if (request.method != "GET" && request.method != "HEAD") {
      response.set_header("Allow", "GET, HEAD");
      answer = {.status = 405, .body = "method not allowed\n"};
    } else {
      answer = page->second();
    }
    response.status = answer.status;
    response.set_content(std::move(answer.body), answer.content_type);
  }

  const std::map<std::string, HttpPage> pages_;
};

class HttplibServer final : public HttpServer {
 public:
  HttplibServer(std::unique_ptr<HttpListener> listener, std::map<std::string, HttpPage> pages, const HttpLimits& limits)
      : limits_(limits), pages_(std::move(pages)), listener_(std::move(listener)) {}

  absl::Status Begin() {
    return listener_->Start([this](base::UniqueFd fd, int stop_fd) { Serve(std::move(fd), stop_fd); });
  }

  const transport::SocketAddress& address() const override { return listener_->address(); }

 private:
  void Serve(base::UniqueFd fd, int stop_fd) {
    HttpConnection connection(std::move(fd), stop_fd, limits_);
    try {
      pages_.Serve(connection);
    } catch (const std::exception& error) {
      Log(LogSeverity::kWarning, std::string("admin server: a request was dropped: ") + error.what());
    }
    connection.Finish();
  }

  const HttpLimits limits_;
  Pages pages_;
  const std::unique_ptr<HttpListener> listener_;  // last: its threads use the rest
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                              std::map<std::string, HttpPage> pages,
                                                              const HttpLimits& limits) {
  absl::StatusOr<std::unique_ptr<HttpListener>> listener = HttpListener::Listen(address);
  if (!listener.ok()) return std::move(listener).status();
  const KeepsSigpipe keeps_sigpipe;
  auto server = std::make_unique<HttplibServer>(*std::move(listener), std::move(pages), limits);
  if (absl::Status status = server->Begin(); !status.ok()) return status;
  return server;
}

}  // namespace pagewire::admin
