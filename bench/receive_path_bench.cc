// What a receive path costs by itself: the CPU time of the one thread that receives chunks, reads every line of them
// and lets go of them, for the same bytes from the same sender, a process of its own that sends without a copy. The
// paths alternate; what counts is their ratio within a round.
//
// Each path in four ways. "alone": on one CPU, and a window of bytes has arrived before the receiver turns to it: all
// that receiving costs is done in its time, and nothing else. "live": sender and receiver work at once on two CPUs;
// then part of the sender's work, clocked by acknowledgements, is done in the receiver's time, and the kernel hands the
// pages that were copied from to the sender's CPU to be freed, but not those that were mapped. Held 0: a payload is let
// go of at once, so that copies go into memory that is still in the cache; held 128 MB: after what came behind it, as
// by a handler that writes to a disk.
//
// receive-path-bench [ROUNDS [MEGABYTES]]
#include <absl/time/time.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "transport/arena.h"
#include "transport/copy_target.h"
#include "transport/epoll_loop.h"
#include "transport/map_target.h"
#include "transport/segment_size.h"
#include "transport/session_offer.h"
#include "transport/socket_stream.h"

namespace pagewire::transport {
namespace {

constexpr size_t kChunkBytes = 256 << 10;  // as sessions send them
constexpr size_t kHeaderBytes = 26;        // a CHUNK frame without its chunk
constexpr size_t kWindowBytes = 2 << 20;
constexpr size_t kWindowChunks = kWindowBytes / kChunkBytes;
constexpr size_t kSenderBytes = 8 << 20;

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

void Pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) Die("sched_setaffinity");
}

double ThreadCpuMicros() {
  timespec spent;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return spent.tv_sec * 1e6 + spent.tv_nsec / 1e3;
}

// Plain system calls only: it runs in a forked child.
[[noreturn]] void Send(const SocketAddress& to, size_t chunks, int cpu) {
  Pin(cpu);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  TcpOptions options = SessionTcpOptions();
  options.max_segment_bytes = SegmentBytesFor(PathMtu(to), AF_INET, TimestampsEnabled());
  const int on = 1;
  if (!ApplyTcpOptions(fd, options).ok() || setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) != 0 ||
      connect(fd, to.get(), to.length()) != 0) {
    Die("sender");
  }
  char* memory = static_cast<char*>(std::aligned_alloc(4096, kSenderBytes));
  std::memset(memory, 'x', kSenderBytes);
  const char header[kHeaderBytes] = {};
  char acks[64];
  char control[256];
  size_t acknowledged = 0;
  for (size_t sent = 0; sent < chunks; ++sent) {
    while ((sent - acknowledged + 1) * kChunkBytes > kWindowBytes) {
      const ssize_t got = recv(fd, acks, sizeof(acks), 0);
      if (got <= 0) std::_Exit(0);
      acknowledged += got;
    }
    if (send(fd, header, sizeof(header), MSG_EOR) < 0) std::_Exit(0);
    const char* chunk = memory + sent * kChunkBytes % kSenderBytes;
    for (size_t done = 0; done < kChunkBytes;) {
      const ssize_t count = send(fd, chunk + done, kChunkBytes - done, MSG_ZEROCOPY | MSG_EOR);
      if (count > 0) done += count;
      msghdr message = {};
      message.msg_control = control;
      message.msg_controllen = sizeof(control);
      recvmsg(fd, &message, MSG_ERRQUEUE);
    }
  }
  while (recv(fd, acks, sizeof(acks), 0) > 0) continue;
  std::_Exit(0);
}

class Receiver {
 public:
  // `alone`: see above. Holds payloads of `held_bytes` together.
  Receiver(EpollLoop& loop, Arena& arena, size_t chunks, size_t held_bytes, bool alone)
      : arena_(arena), held_bytes_(held_bytes), alone_(alone), chunks_(chunks) {
    base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in any = {};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!ApplyTcpOptions(listener.get(), SessionTcpOptions()).ok() ||
        bind(listener.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)) != 0 || listen(listener.get(), 1) != 0) {
      Die("listener");
    }
    const SocketAddress address = SocketAddress::LocalOf(listener.get());
    sender_ = fork();
    if (sender_ == 0) Send(address, chunks, alone ? 0 : 1);
    base::UniqueFd fd(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    stream_ = std::make_unique<SocketStream>(ConnectedSocket{std::move(fd), address}, loop);
  }
  ~Receiver() {
    stream_.reset();
    waitpid(sender_, nullptr, 0);
  }

  // What Take has cost so far, without waiting.
  double micros() const { return micros_; }

  // Receives a payload, reads it, drops the eldest. The bytes that were mapped.
  uint64_t Take(bool map, size_t payload_bytes) {
    began_ = ThreadCpuMicros();
    const uint64_t mapped = Receive(map, payload_bytes);
    while (held_.size() * payload_bytes > held_bytes_) held_.pop_front();
    micros_ += ThreadCpuMicros() - began_;
    return mapped;
  }

 private:
  // Nothing but `held_` keeps the payload when it returns: a target left over would let go of the last pages after the
  // clock has stopped.
  uint64_t Receive(bool map, size_t payload_bytes) {
    PayloadPieces pieces(memory::Pool::Default());
    TransferReport report;
    MapTarget map_target(payload_bytes, arena_, pieces, report);
    CopyTarget copy_target;
    for (size_t taken = 0; taken < payload_bytes; taken += kChunkBytes) {
      if (alone_ && taken_chunks_ % kWindowChunks == 0) {
        micros_ += ThreadCpuMicros() - began_;
        AwaitWindow();
        began_ = ThreadCpuMicros();
      }
      TakeHeader();
      ChunkTarget* target = &map_target;
      if (map) {
        map_target.BeginChunk();
      } else {
        transport::CopyTarget::Places places;
        if (!pieces.Place(kChunkBytes, payload_bytes - taken, places).ok()) Die("no memory");
        copy_target.SetPlaces(std::move(places));
        target = &copy_target;
      }
      TakeChunk(*target);
      ++taken_chunks_;
      if (!alone_) Acknowledge(1);
      if (alone_ && taken_chunks_ % kWindowChunks == 0) Acknowledge(kWindowChunks);
    }
    held_.push_back(pieces.Take().Build());
    for (const absl::Span<const char> span : held_.back().spans()) {
      for (size_t at = 0; at < span.size(); at += 64) sum_ = sum_ + span[at];
    }
    return report.mapped_bytes;
  }

  void Acknowledge(size_t chunks) {
    const char acks[kWindowChunks] = {};
    if (send(stream_->fd(), acks, chunks, MSG_NOSIGNAL) != static_cast<ssize_t>(chunks)) Die("ack");
  }

  // Until the sender has sent all that it may.
  void AwaitWindow() {
    const size_t chunks = std::min(kWindowChunks, chunks_ - taken_chunks_);
    const int expected = static_cast<int>(chunks * (kChunkBytes + kHeaderBytes) - header_);
    for (int queued = 0; queued < expected; usleep(20)) {
      if (ioctl(stream_->fd(), FIONREAD, &queued) != 0) Die("FIONREAD");
    }
  }

  void TakeHeader() {
    while (header_ < kHeaderBytes) {
      char header[kHeaderBytes];
      const iovec into = {header, kHeaderBytes - header_};
      const IoResult result = stream_->Read({&into, 1});
      if (!Await(result)) header_ += result.bytes;
    }
    header_ = 0;
  }

  void TakeChunk(ChunkTarget& target) {
    char behind[kHeaderBytes];
    for (size_t left = kChunkBytes; left > 0;) {
      const ChunkTarget::Result result = target.Receive(*stream_, left, absl::MakeSpan(behind));
      if (Await(result.io)) continue;
      left -= result.io.bytes - result.behind;
      header_ = result.behind;
    }
    stream_->SetReadThreshold(1);
  }

  bool Await(const IoResult& result) {
    if (result.state == IoState::kOk) return false;
    if (result.state != IoState::kBlocked) Die("the sender is gone");
    pollfd wait = {stream_->fd(), POLLIN, 0};
    poll(&wait, 1, -1);
    return true;
  }

  Arena& arena_;
  const size_t held_bytes_;
  const bool alone_;
  const size_t chunks_;
  size_t taken_chunks_ = 0;
  double micros_ = 0;
  double began_ = 0;  // of what is not in micros_ yet
  std::deque<Payload> held_;
  pid_t sender_ = 0;
  std::unique_ptr<SocketStream> stream_;
  size_t header_ = 0;  // bytes of the next one that have come
  volatile uint64_t sum_ = 0;
};

// Microseconds for each 10^6 bytes.
double Cost(EpollLoop& loop, Arena& arena, bool map, bool alone, size_t payload_bytes, size_t held_bytes,
            size_t total_bytes) {
  const size_t payloads = std::max<size_t>(total_bytes / payload_bytes, 8);
  const size_t warm_up = payloads / 4 + held_bytes / payload_bytes;
  Receiver receiver(loop, arena, (payloads + warm_up) * payload_bytes / kChunkBytes, held_bytes, alone);
  for (size_t i = 0; i < warm_up; ++i) receiver.Take(map, payload_bytes);
  const double before = receiver.micros();
  uint64_t mapped = 0;
  for (size_t i = 0; i < payloads; ++i) mapped += receiver.Take(map, payload_bytes);
  const double cost = (receiver.micros() - before) / (payloads * payload_bytes / 1e6);
  if (map && mapped < payloads * payload_bytes * 0.99) std::printf("only %lu bytes were mapped\n", mapped);
  return cost;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Compare(EpollLoop& loop, Arena& arena, bool alone, size_t payload_bytes, size_t held_bytes, int rounds,
             size_t total_bytes) {
  std::vector<double> copies, maps, ratios;
  for (int round = 0; round < rounds; ++round) {
    copies.push_back(Cost(loop, arena, false, alone, payload_bytes, held_bytes, total_bytes));
    maps.push_back(Cost(loop, arena, true, alone, payload_bytes, held_bytes, total_bytes));
    ratios.push_back(maps.back() / copies.back());
  }
  std::printf("%5s %7zu MB %7zu KiB %18.2f %8.2f %7.2f %10.1f %7.1f\n", alone ? "alone" : "live",
              held_bytes / 1'000'000, payload_bytes >> 10, Median(ratios),
              *std::min_element(ratios.begin(), ratios.end()), *std::max_element(ratios.begin(), ratios.end()),
              Median(copies), Median(maps));
  std::fflush(stdout);
}

int Main(int rounds, size_t total_bytes) {
  Pin(0);
  const auto loop = EpollLoop::Create();
  const auto& arena = Arena::Default();
  if (!loop.ok() || !arena.ok()) Die("no loop or no arena");
  std::printf("           held     payload   map/copy: median   least    most     copy, map in us/MB (medians)\n");
  for (const bool alone : {true, false}) {
    for (const size_t held_bytes : {size_t{0}, size_t{128'000'000}}) {
      for (const size_t payload_bytes : {size_t{256} << 10, size_t{1} << 20, size_t{4} << 20, size_t{16} << 20}) {
        Compare(**loop, **arena, alone, payload_bytes, held_bytes, rounds, total_bytes);
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace pagewire::transport

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 7;
  const size_t megabytes = argc > 2 ? std::atoi(argv[2]) : 1000;
  return pagewire::transport::Main(std::max(rounds, 1), std::max<size_t>(megabytes, 1) * 1'000'000);
}
