// What the kernel alone charges for receiving: a socket is filled without a copy, then its bytes are copied or mapped,
// every line read, the pages given back. One thread, one system call after another, nothing of the framework: the
// floor for what receive-path-bench measures.
//
// receive-floor-bench [ROUNDS [MEGABYTES]]
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "transport/zerocopy_receive.h"

namespace {

using pagewire::transport::MapRequest;
using pagewire::transport::ZerocopyReceiveResult;

constexpr size_t kSendBytes = 256 << 10;
constexpr size_t kPoolBytes = 128 << 20;
constexpr size_t kMostBytes = 4 << 20;  // of one payload
constexpr int kQueueBytes = 64 << 20;

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

double ThreadCpuMicros() {
  timespec spent;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return spent.tv_sec * 1e6 + spent.tv_nsec / 1e3;
}

void Set(int fd, int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof(value)) != 0) Die("setsockopt");
}

int TcpSocket() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) Die("socket");
  return fd;
}

enum class Way { kOneBuffer, kBuffersInTurn, kMap };

class Floor {
 public:
  Floor() {
    const int listener = TcpSocket();
    Set(listener, IPPROTO_TCP, TCP_MAXSEG, 28684);
    Set(listener, SOL_SOCKET, SO_RCVBUFFORCE, kQueueBytes);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, name, length) != 0 || listen(listener, 1) != 0 || getsockname(listener, name, &length) != 0) {
      Die("listener");
    }
    Set(sender_, IPPROTO_TCP, TCP_MAXSEG, 28684);
    Set(sender_, IPPROTO_TCP, TCP_NODELAY, 1);
    Set(sender_, SOL_SOCKET, SO_SNDBUFFORCE, kQueueBytes);
    Set(sender_, SOL_SOCKET, SO_ZEROCOPY, 1);
    if (connect(sender_, name, length) != 0) Die("connect");
    receiver_ = accept(listener, nullptr, nullptr);
    const int throwaway = TcpSocket();
    arena_ = static_cast<char*>(mmap(nullptr, kMostBytes, PROT_READ, MAP_SHARED, throwaway, 0));
    if (receiver_ < 0 || arena_ == MAP_FAILED) Die("receiver");
    close(throwaway);
    close(listener);
    std::memset(pool_, 'p', kPoolBytes);
    std::memset(source_, 's', kSendBytes);
  }

  // Microseconds for each page.
  double Cost(Way way, size_t payload_bytes, size_t total_bytes) {
    double cost = 0;
    size_t done = 0;
    for (; done < total_bytes; done += payload_bytes) {
      Fill(payload_bytes);
      const double began = ThreadCpuMicros();
      const char* const data = way == Way::kMap ? Map(payload_bytes) : Copy(way, done, payload_bytes);
      for (size_t at = 0; at < payload_bytes; at += 64) sum_ = sum_ + data[at];
      if (way == Way::kMap && madvise(arena_, payload_bytes, MADV_DONTNEED) != 0) Die("madvise");
      cost += ThreadCpuMicros() - began;
    }
    return cost / (static_cast<double>(done) / 4096);
  }

 private:
  void Fill(size_t bytes) {
    char control[256];
    for (size_t sent = 0; sent < bytes;) {
      const ssize_t count =
          send(sender_, source_, std::min(bytes - sent, kSendBytes), MSG_ZEROCOPY | MSG_EOR | MSG_DONTWAIT);
      if (count > 0) sent += count;
      msghdr message = {};
      message.msg_control = control;
      message.msg_controllen = sizeof(control);
      recvmsg(sender_, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    }
    for (int queued = 0; queued < static_cast<int>(bytes); usleep(10)) ioctl(receiver_, FIONREAD, &queued);
  }

  const char* Copy(Way way, size_t done, size_t bytes) {
    char* const into = way == Way::kOneBuffer ? pool_ : pool_ + done % kPoolBytes;
    for (size_t got = 0; got < bytes;) {
      const ssize_t count = recv(receiver_, into + got, bytes - got, 0);
      if (count <= 0) Die("recv");
      got += count;
    }
    return into;
  }

  const char* Map(size_t bytes) {
    for (size_t got = 0; got < bytes;) {
      MapRequest request;
      request.address = arena_ + got;
      request.length = bytes - got;
      const ZerocopyReceiveResult result = pagewire::transport::ZerocopyReceive(receiver_, request);
      if (result.error != 0 || result.mapped == 0) Die("these pages cannot be mapped");
      got += result.mapped;
    }
    return arena_;
  }

  const int sender_ = TcpSocket();
  int receiver_ = -1;
  char* arena_ = nullptr;
  char* const pool_ = static_cast<char*>(std::aligned_alloc(4096, kPoolBytes));
  char* const source_ = static_cast<char*>(std::aligned_alloc(4096, kSendBytes));
  volatile long sum_ = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(std::atoi(argv[1]), 1) : 5;
  const size_t total_bytes = (argc > 2 ? std::max<size_t>(std::atoi(argv[2]), 1) : 1000) * 1'000'000;
  cpu_set_t one_cpu;
  CPU_ZERO(&one_cpu);
  CPU_SET(0, &one_cpu);
  if (sched_setaffinity(0, sizeof(one_cpu), &one_cpu) != 0) Die("sched_setaffinity");
  Floor floor;
  std::printf(" payload   map/copy into one buffer   map/copy into 128 MiB in turn   us/page: one, in turn, map\n");
  for (const size_t payload_bytes : {size_t{256} << 10, size_t{1} << 20, kMostBytes}) {
    std::vector<double> one, turn, map, to_one, to_turn;
    for (int round = 0; round < rounds; ++round) {
      one.push_back(floor.Cost(Way::kOneBuffer, payload_bytes, total_bytes));
      turn.push_back(floor.Cost(Way::kBuffersInTurn, payload_bytes, total_bytes));
      map.push_back(floor.Cost(Way::kMap, payload_bytes, total_bytes));
      to_one.push_back(map.back() / one.back());
      to_turn.push_back(map.back() / turn.back());
    }
    const auto least = [](const std::vector<double>& of) { return *std::min_element(of.begin(), of.end()); };
    const auto most = [](const std::vector<double>& of) { return *std::max_element(of.begin(), of.end()); };
    std::printf("%4zu KiB   %.2f (%.2f to %.2f)        %.2f (%.2f to %.2f)             %.3f, %.3f, %.3f\n",
                payload_bytes >> 10, Median(to_one), least(to_one), most(to_one), Median(to_turn), least(to_turn),
                most(to_turn), Median(one), Median(turn), Median(map));
  }
  return 0;
}
