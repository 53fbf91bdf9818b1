#include "floor_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "transport/socket_options.h"

namespace pagewire::bench {
namespace {

constexpr int kBufferBytes = 8 << 20;
constexpr int kSegmentBytes = 28684;
constexpr size_t kHugeFromBytes = 512 << 10;
constexpr size_t kHugePageBytes = 2 << 20;

void Set(int fd, int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof(value)) != 0) FloorDie("setsockopt");
}

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

int FloorTcpSocket(bool tuned) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) FloorDie("socket");
  Set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (!tuned) return fd;
  Set(fd, IPPROTO_TCP, TCP_MAXSEG, kSegmentBytes);
  Set(fd, SOL_SOCKET, SO_RCVBUF, kBufferBytes);
  return fd;
}

void FloorDie(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

int FloorListen(int& port, bool tuned) {
  const int fd = FloorTcpSocket(tuned);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, name, length) != 0 || listen(fd, 128) != 0 || getsockname(fd, name, &length) != 0) FloorDie("listen");
  port = ntohs(address.sin_port);
  return fd;
}

int FloorConnect(int port, bool tuned) {
  const int fd = FloorTcpSocket(tuned);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) FloorDie("connect");
  if (tuned) transport::UseLocalCongestionControl(fd);
  return fd;
}

int FloorAccept(int listener, bool tuned) {
  const int fd = accept(listener, nullptr, nullptr);
  if (fd < 0) FloorDie("accept");
  Set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (tuned) transport::UseLocalCongestionControl(fd);
  return fd;
}

bool FloorSendAll(int fd, const void* data, size_t size, int flags) {
  for (size_t sent = 0; sent < size;) {
    const ssize_t count = send(fd, static_cast<const char*>(data) + sent, size - sent, flags | MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += count;
  }
  return true;
}

bool FloorSendAll(int fd, const void* first, size_t first_size, const void* second, size_t second_size) {
  if (first_size == 0) return FloorSendAll(fd, second, second_size, 0);
  iovec parts[] = {{const_cast<void*>(first), first_size}, {const_cast<void*>(second), second_size}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  const ssize_t count = sendmsg(fd, &message, MSG_NOSIGNAL);
  if (count <= 0) return false;
  const auto sent = static_cast<size_t>(count);
  const size_t of_first = std::min(sent, first_size), of_second = sent - of_first;
  return FloorSendAll(fd, static_cast<const char*>(first) + of_first, first_size - of_first, 0) &&
         FloorSendAll(fd, static_cast<const char*>(second) + of_second, second_size - of_second, 0);
}

bool FloorReceiveAll(int fd, void* data, size_t size) {
  return size == 0 || recv(fd, data, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

void FloorFree::operator()(char* memory) const { std::free(memory); }

FloorMemory MakeFloorMemory(size_t size) {
  void* const memory =
      std::aligned_alloc(kHugePageBytes, (size + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes);
  if (memory == nullptr) FloorDie("aligned_alloc");
  if (size >= kHugeFromBytes) madvise(memory, size, MADV_HUGEPAGE);
  std::memset(memory, 'f', size);
  return FloorMemory(static_cast<char*>(memory));
}

}  // namespace pagewire::bench
