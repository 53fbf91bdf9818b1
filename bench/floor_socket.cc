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
#include "transport/zerocopy_receive.h"

namespace pagewire::bench {
namespace {

constexpr int kBufferBytes = 8 << 20;
constexpr int kSegmentBytes = 28684;
constexpr size_t kHugeFromBytes = 512 << 10;
constexpr size_t kHugePageBytes = 2 << 20;

void Set(int fd, int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof(value)) != 0) FloorDie("setsockopt");
}

int TcpSocket(bool tuned) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) FloorDie("socket");
  Set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (!tuned) return fd;
  Set(fd, IPPROTO_TCP, TCP_MAXSEG, kSegmentBytes);
  Set(fd, SOL_SOCKET, SO_RCVBUF, kBufferBytes);
  return fd;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Reads every cache line.
uint64_t Touch(const char* data, size_t size) {
  uint64_t sum = 0;
  for (size_t at = 0; at + 8 <= size; at += 64) {
    uint64_t word;
    std::memcpy(&word, data + at, sizeof(word));
    sum += word;
  }
  return sum;
}

bool Acknowledge(int fd, size_t bytes) {
  const FloorAck ack = {bytes};
  return send(fd, &ack, sizeof(ack), MSG_NOSIGNAL) == sizeof(ack);
}

// Takes `size` bytes, whole pages, and returns how many of them are not acknowledged. What cannot be mapped is read.
size_t Map(int fd, char* arena, char* memory, size_t size, bool touch, volatile uint64_t& seen) {
  int tries = 0;
  size_t acknowledged = 0;
  for (size_t got = 0; got < size;) {
    if (got - acknowledged >= kFloorAckBytes && Acknowledge(fd, got - acknowledged)) acknowledged = got;
    transport::MapRequest request;
    request.address = arena + got;
    request.length = size - got;
    const transport::ZerocopyReceiveResult result = transport::ZerocopyReceive(fd, request);
    if (result.error != 0) FloorDie("TCP_ZEROCOPY_RECEIVE");
    if (touch) seen = seen + Touch(arena + got, result.mapped);
    got += result.mapped;
    // What has come since the kernel looked can be mapped by the next call; what was there and still is, by none.
    tries = result.mapped > 0 || result.queued < 4096 ? 0 : tries + 1;
    if (tries > 2) {
      const size_t hole = std::min(std::max<size_t>(result.skip, 1), size - got);
      FloorReceiveAll(fd, memory + got, hole);
      if (touch) seen = seen + Touch(memory + got, hole);
      got += hole;
      tries = 0;
      // Back onto a page of the payload.
      const size_t rest = (4096 - got % 4096) % 4096;
      FloorReceiveAll(fd, memory + got, rest);
      got += rest;
    }
    if (result.mapped > 0 || tries > 0) continue;
    // Waits for all that is to come, or half of the buffer, whichever is less; the kernel caps it.
    Set(fd, SOL_SOCKET, SO_RCVLOWAT, static_cast<int>(std::min<size_t>(size - got, kFloorChunkBytes)));
    if (recv(fd, memory, 1, MSG_PEEK) <= 0) FloorDie("recv");
    Set(fd, SOL_SOCKET, SO_RCVLOWAT, 1);
  }
  return size - acknowledged;
}

}  // namespace

void FloorDie(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

int FloorListen(int& port, bool tuned) {
  const int fd = TcpSocket(tuned);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, name, length) != 0 || listen(fd, 1) != 0 || getsockname(fd, name, &length) != 0) FloorDie("listen");
  port = ntohs(address.sin_port);
  return fd;
}

int FloorConnect(int port, bool tuned) {
  const int fd = TcpSocket(tuned);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) FloorDie("connect");
  if (tuned) transport::UseLocalCongestionControl(fd);
  return fd;
}

void FloorSendAll(int fd, const void* data, size_t size, int flags) {
  for (size_t sent = 0; sent < size;) {
    const ssize_t count = send(fd, static_cast<const char*>(data) + sent, size - sent, flags | MSG_NOSIGNAL);
    if (count <= 0) FloorDie("send");
    sent += count;
  }
}

void FloorReceiveAll(int fd, void* data, size_t size) {
  if (size == 0) return;
  if (recv(fd, data, size, MSG_WAITALL) != static_cast<ssize_t>(size)) FloorDie("recv");
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

void FloorReceive(int listener, bool tuned, bool map, size_t payload_bytes, bool touch) {
  const int fd = accept(listener, nullptr, nullptr);
  if (fd < 0) FloorDie("accept");
  if (tuned) transport::UseLocalCongestionControl(fd);
  const FloorMemory own = MakeFloorMemory(payload_bytes);
  char* const memory = own.get();
  const size_t whole_pages = payload_bytes / 4096 * 4096;
  char* arena = nullptr;
  if (map) {
    const int throwaway = TcpSocket(tuned);
    void* const address = mmap(nullptr, std::max<size_t>(whole_pages, 4096), PROT_READ, MAP_SHARED, throwaway, 0);
    if (address == MAP_FAILED) FloorDie("mmap");
    arena = static_cast<char*>(address);
    close(throwaway);
  }
  volatile uint64_t seen = 0;
  FloorHeader header;
  while (recv(fd, &header, sizeof(header), MSG_WAITALL) == sizeof(header)) {
    const size_t mapped = map ? whole_pages : 0;
    const size_t owed = map ? Map(fd, arena, memory, mapped, touch, seen) : 0;
    if (payload_bytes > mapped) FloorReceiveAll(fd, memory, payload_bytes - mapped);
    if (touch) seen = seen + Touch(memory, payload_bytes - mapped);
    if (map) madvise(arena, mapped, MADV_DONTNEED);
    if (!Acknowledge(fd, payload_bytes - mapped + owed)) return;
  }
}

}  // namespace pagewire::bench
