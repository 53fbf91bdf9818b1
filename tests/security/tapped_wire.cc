#include "security/tapped_wire.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <utility>

namespace pagewire::testing {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

TappedWire::TappedWire(int port, Mischief mischief, size_t at) : server_port_(port), mischief_(mischief), at_(at) {
  listener_.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener_.get(), 16), 0);
  EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

TappedWire::~TappedWire() {
  shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  std::vector<std::thread> threads;
  {
    base::MutexLock lock(mutex_);
    for (const base::UniqueFd& socket : sockets_) shutdown(socket.get(), SHUT_RDWR);
    threads = std::move(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

std::string TappedWire::Seen() const {
  base::MutexLock lock(mutex_);
  return seen_;
}

void TappedWire::Accept() {
  for (;;) {
    base::UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid()) return;
    base::UniqueFd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = Loopback(server_port_);
    EXPECT_EQ(connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    base::MutexLock lock(mutex_);
    for (const Direction& direction :
         {Direction{client.get(), server.get(), true}, Direction{server.get(), client.get(), false}}) {
      threads_.emplace_back([this, direction] { PassOn(direction); });
    }
    sockets_.push_back(std::move(client));
    sockets_.push_back(std::move(server));
  }
}

void TappedWire::PassOn(Direction direction) {
  std::array<char, 16384> bytes;
  size_t passed = 0;
  ssize_t count = 0;
  while ((count = recv(direction.from, bytes.data(), bytes.size(), 0)) > 0) {
    size_t size = static_cast<size_t>(count);
    {
      base::MutexLock lock(mutex_);
      seen_.append(bytes.data(), size);
    }
    const bool here = direction.from_client && passed <= at_ && at_ < passed + size;
    if (here && mischief_ == Mischief::kFlip) bytes[at_ - passed] = static_cast<char>(~bytes[at_ - passed]);
    const bool cut = here && mischief_ == Mischief::kCut;
    if (cut) size = at_ - passed;
    for (size_t sent = 0; sent < size;) {
      const ssize_t more = send(direction.to, bytes.data() + sent, size - sent, MSG_NOSIGNAL);
      if (more <= 0) break;
      sent += static_cast<size_t>(more);
    }
    passed += size;
    if (cut) break;
  }
  // Ended in both directions, as far as this one knows: whoever cuts does not say so gently.
  shutdown(direction.to, mischief_ == Mischief::kCut ? SHUT_RDWR : SHUT_WR);
}

}  // namespace pagewire::testing
