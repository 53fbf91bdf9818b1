// HTTP for a few pages: cpp-httplib reads requests and writes answers, this owns sockets and threads.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "admin/http_connection.h"
#include "transport/socket_address.h"

namespace pagewire::admin {

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// What a path shows. Any thread, also several at once.
using HttpPage = std::function<HttpAnswer()>;

class HttpServer {
 public:
  // Listens and serves. `pages` by path: "/metrics". See AdminServer for the statuses.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                           std::map<std::string, HttpPage> pages,
                                                           const HttpLimits& limits = {});
  // See AdminServer.
  virtual ~HttpServer() = default;

  // With the real port.
  virtual const transport::SocketAddress& address() const = 0;
};

}  // namespace pagewire::admin
