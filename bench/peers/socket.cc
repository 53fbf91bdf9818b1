// pagewire-peer-socket: what everything else is measured against, the same jobs by hand over bare sockets: blocking,
// a thread for each connection, nothing but a header before each payload and an acknowledgement after it.
#include <absl/flags/flag.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "floor_receiver.h"
#include "floor_sender.h"
#include "harness/program.h"
#include "harness/thread_callers.h"
#include "harness/usage.h"
#include "peers/socket_echo.h"

ABSL_FLAG(
    int32_t, socket_connections, 0,
    "put, get, mixed: connections with a thread each, between which the payloads in flight are divided; 0: as many "
    "as there are CPUs, which is fastest");

namespace pagewire::bench {
namespace {

constexpr uint64_t kBlockBytes = 256 << 10;

// The first thing on every connection: what the client wants on it.
struct Wish {
  Kind kind = Kind::kEcho;
  int inflight = 1;
};

FloorOptions FloorOf(const Options& options, int inflight) {
  FloorOptions floor;
  if (options.form == "map") {
    // Over loopback the receiver finds whole pages of their own only if they were sent without a copy.
    floor.send = SendPath::kZerocopy;
    floor.receive = ReceivePath::kMap;
  }
  if (options.form == "block") floor.block_bytes = kBlockBytes;
  floor.payload_bytes = options.payload_bytes;
  floor.inflight = inflight;
  floor.touch = options.touch;
  return floor;
}

void ServeConnection(const Options& options, int fd) {
  Wish wish;
  if (!FloorReceiveAll(fd, &wish, sizeof(wish))) return;
  switch (wish.kind) {
    case Kind::kEcho:
      return ServeEcho(fd);
    case Kind::kPut: {
      FloorReceiver receiver(FloorOf(options, wish.inflight), fd);
      while (receiver.Next()) continue;
      return;
    }
    case Kind::kGet: {
      FloorSender sender(FloorOf(options, wish.inflight), fd);
      while (sender.Next()) continue;
      return;
    }
  }
}

std::shared_ptr<void> Serve(const Options& options, int& port) {
  const int listener = FloorListen(port, true);
  return std::make_shared<std::thread>([&options, listener] {
    for (;;) std::thread(ServeConnection, std::cref(options), FloorAccept(listener, true)).detach();
  });
}

// Puts: the latency of a payload is from before it is made until it is acknowledged.
class PutConnection {
 public:
  PutConnection(const FloorOptions& floor, int fd, Recorder& recorder)
      : payload_bytes_(floor.payload_bytes), sender_(floor, fd), recorder_(recorder) {}

  bool Next() {
    began_.push_back(Recorder::Now());
    if (!sender_.Next()) {
      recorder_.Failed("put over a socket: the server has gone");
      return false;
    }
    for (; ended_ < sender_.acknowledged(); ++ended_) {
      recorder_.Ended(began_.front(), payload_bytes_);
      began_.pop_front();
    }
    return true;
  }

 private:
  const uint64_t payload_bytes_;
  FloorSender sender_;
  Recorder& recorder_;
  std::deque<Recorder::Time> began_;
  uint64_t ended_ = 0;
};

// Gets: the server sends as many as may be in flight, and the acknowledgement of one asks for another. The latency of a
// payload is from then until it has been taken.
class GetConnection {
 public:
  GetConnection(const FloorOptions& floor, int fd, Recorder& recorder)
      : payload_bytes_(floor.payload_bytes),
        receiver_(floor, fd),
        recorder_(recorder),
        began_(floor.inflight, Recorder::Now()) {}

  bool Next() {
    if (!receiver_.Next()) {
      recorder_.Failed("get over a socket: the server has gone");
      return false;
    }
    recorder_.Ended(began_.front(), payload_bytes_);
    began_.pop_front();
    began_.push_back(Recorder::Now());
    return true;
  }

 private:
  const uint64_t payload_bytes_;
  FloorReceiver receiver_;
  Recorder& recorder_;
  std::deque<Recorder::Time> began_;
};

class SocketClient final : public Client {
 public:
  SocketClient(const Options& options, int port) : options_(options), port_(port) {}

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    const int wanted = absl::GetFlag(FLAGS_socket_connections);
    const int connections = std::min(count, kind == Kind::kEcho ? 1 : wanted > 0 ? wanted : CpuCount());
    const auto shares = std::make_shared<Shares>(count, connections);
    return StartThreads(connections, [this, kind, shares, &tally] { return Connect(kind, shares->Next(), tally); });
  }

 private:
  std::function<bool()> Connect(Kind kind, int inflight, Tally& tally) const {
    const int fd = FloorConnect(port_, true);
    const Wish wish = {kind, inflight};
    if (!FloorSendAll(fd, &wish, sizeof(wish), 0)) FloorDie("the server has gone");
    Recorder& recorder = tally.Add();
    if (kind == Kind::kEcho) {
      return [echo = std::make_shared<EchoClient>(fd, options_.message_bytes, inflight, recorder)] {
        return echo->Next();
      };
    }
    const FloorOptions floor = FloorOf(options_, inflight);
    if (kind == Kind::kPut) {
      return [put = std::make_shared<PutConnection>(floor, fd, recorder)] { return put->Next(); };
    }
    return [get = std::make_shared<GetConnection>(floor, fd, recorder)] { return get->Next(); };
  }

  const Options& options_;
  const int port_;
};

std::string KernelVersion() {
  utsname name = {};
  return uname(&name) == 0 ? std::string("Linux ") + name.release : "Linux";
}

}  // namespace
}  // namespace pagewire::bench

int main(int argc, char** argv) {
  using pagewire::bench::Options;
  return pagewire::bench::RunProgram(
      {.name = "pagewire-peer-socket",
       .version = pagewire::bench::KernelVersion(),
       .forms = {{"echo", {"echo"}},
                 {"block", {"put", "get", "mixed"}},
                 {"mat", {"put", "get", "mixed"}},
                 {"map", {"put", "get", "mixed"}}},
       .serve = pagewire::bench::Serve,
       .connect = [](const Options& options,
                     int port) { return std::make_unique<pagewire::bench::SocketClient>(options, port); }},
      argc, argv);
}
