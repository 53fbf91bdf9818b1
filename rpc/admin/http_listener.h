// Listens for the admin server, and accepts on threads of its own.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "transport/socket_address.h"

namespace pagewire::admin {

class HttpListener {
 public:
  // Serves one connection, whose descriptor does not block; `stop_fd` can be read once it must end. Several threads.
  using Serve = std::function<void(base::UniqueFd connection, int stop_fd)>;

  // Binds and listens: connections queue up from here on. See AdminServer for the statuses.
  static absl::StatusOr<std::unique_ptr<HttpListener>> Listen(const std::string& address);

  // Stops, and waits for what is being served.
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // Begins to accept; what `serve` refers to must outlive this. Once. RESOURCE_EXHAUSTED without threads.
  absl::Status Start(Serve serve);

  // With the real port.
  const transport::SocketAddress& address() const { return address_; }

 private:
  HttpListener(base::UniqueFd fd, base::UniqueFd stop);
  void Work() const;
  bool Await(int fd, int timeout_ms) const;

  const base::UniqueFd fd_;
  const base::UniqueFd stop_;  // an eventfd
  const transport::SocketAddress address_;
  Serve serve_;
  std::vector<std::thread> threads_;
};

}  // namespace pagewire::admin
