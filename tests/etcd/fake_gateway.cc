#include "etcd/fake_gateway.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/string_view.h"
#include "transport/socket_address.h"

namespace pagewire::etcd {

FakeGateway::FakeGateway(Answer answer)
    : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      answer_(std::move(answer)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(listener_.get(), 16), 0);
  thread_ = std::thread([this] { Serve(); });
}

FakeGateway::~FakeGateway() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::string FakeGateway::Ok(std::string_view body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", base::ToAbsl(body));
}

std::string FakeGateway::endpoint() const {
  return absl::StrCat("http://127.0.0.1:", transport::SocketAddress::LocalOf(listener_.get()).port());
}

void FakeGateway::WaitForRequests(std::string_view path, int count) {
  base::MutexLock lock(mutex_);
  while (std::count(requests_.begin(), requests_.end(), path) < count) asked_.Wait(mutex_);
}

void FakeGateway::Serve() {
  for (;;) {
    pollfd fds[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    poll(fds, std::size(fds), -1);
    if (fds[1].revents != 0) return;
    ServeOne(base::UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
}

void FakeGateway::ServeOne(base::UniqueFd connection) {
  // Bodies are JSON objects, and nothing follows them.
  std::string request;
  char piece[4096];
  while (request.find("\r\n\r\n") == request.npos || request.back() != '}') {
    const ssize_t got = recv(connection.get(), piece, sizeof(piece), 0);
    if (got <= 0) return;
    request.append(piece, static_cast<size_t>(got));
  }
  const size_t begin = request.find(' ') + 1;
  const std::string path = request.substr(begin, request.find(' ', begin) - begin);
  const std::string answer = answer_(path);
  {
    base::MutexLock lock(mutex_);
    requests_.push_back(path);
    asked_.NotifyAll();
  }
  if (answer.empty()) {
    silent_.push_back(std::move(connection));
    return;
  }
  for (size_t sent = 0; sent < answer.size();) {
    const ssize_t more = send(connection.get(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
    if (more < 0) return;
    sent += static_cast<size_t>(more);
  }
}

}  // namespace pagewire::etcd
