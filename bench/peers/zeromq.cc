// pagewire-peer-zeromq: ZeroMQ, DEALER to ROUTER over TCP, as request and reply; see bench/README.md.
#include <absl/flags/flag.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/bytes.h"
#include "harness/program.h"
#include "harness/thread_callers.h"
#include "harness/usage.h"
#include "peers/pooled_memory.h"

ABSL_FLAG(
    int32_t, zmq_connections, 0,
    "sockets of the client, with a thread each, and I/O threads on both sides; 0: one for payloads below 4 MiB, else "
    "as many as there are CPUs, but not more than calls in flight");
ABSL_FLAG(int32_t, zmq_buffer_bytes, 0, "ZMQ_SNDBUF and ZMQ_RCVBUF; 0: the kernel's own tuning");
namespace pagewire::bench {
namespace {

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "ZeroMQ: %s: %s\n", what, zmq_strerror(zmq_errno()));
  std::_Exit(1);
}

// One part of a message.
class Part {
 public:
  Part() { zmq_msg_init(&message_); }
  explicit Part(uint64_t number) {
    zmq_msg_init_size(&message_, sizeof(number));
    std::memcpy(zmq_msg_data(&message_), &number, sizeof(number));
  }
  // Without a copy: `give_back` runs when ZeroMQ has sent the bytes.
  Part(void* data, size_t size, zmq_free_fn* give_back, void* hint) {
    zmq_msg_init_data(&message_, data, size, give_back, hint);
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() { zmq_msg_close(&message_); }

  const void* data() { return zmq_msg_data(&message_); }
  size_t size() const { return zmq_msg_size(&message_); }
  uint64_t number() {
    uint64_t value = 0;
    if (size() == sizeof(value)) std::memcpy(&value, data(), sizeof(value));
    return value;
  }

  void SendOn(void* socket, bool more) {
    if (zmq_msg_send(&message_, socket, more ? ZMQ_SNDMORE : 0) < 0) Die("zmq_msg_send");
  }
  // False: nothing is there, and the socket was not to wait.
  bool ReceiveFrom(void* socket, bool wait) {
    if (zmq_msg_recv(&message_, socket, wait ? 0 : ZMQ_DONTWAIT) >= 0) return true;
    if (zmq_errno() != EAGAIN && zmq_errno() != EINTR) Die("zmq_msg_recv");
    return false;
  }

 private:
  zmq_msg_t message_;
};

// Payloads: the same `count` in turn, as many as are in flight, or pooled memory that has been written. Outlives what
// was sent.
class PayloadParts {
 public:
  PayloadParts(uint64_t bytes, int count, bool touch) : touch_(touch), memory_(bytes) {
    for (int i = 0; i < count && !touch; ++i) {
      same_.push_back(memory_.Take());
      FillBytes(same_.back(), bytes, 0);
    }
  }

  void Send(void* socket) {
    if (!touch_) {
      const auto keep = [](void*, void*) {};
      return Part(same_[seed_++ % same_.size()], memory_.bytes(), keep, nullptr).SendOn(socket, false);
    }
    char* const block = memory_.Take();
    FillBytes(block, memory_.bytes(), seed_++);
    Part(
        block, memory_.bytes(),
        [](void* data, void* memory) { static_cast<PooledMemory*>(memory)->Give(static_cast<char*>(data)); }, &memory_)
        .SendOn(socket, false);
  }

 private:
  const bool touch_;
  PooledMemory memory_;
  std::vector<char*> same_;
  uint64_t seed_ = 0;
};

// What of the payload arrived well; 0 if bytes that were to be read are wrong.
uint64_t Take(Part& part, bool touch) {
  if (!touch) return part.size();
  ByteReader reader;
  reader.Read(part.data(), part.size());
  return reader.right() ? part.size() : 0;
}

void Set(void* socket, int option, int value) {
  if (zmq_setsockopt(socket, option, &value, sizeof(value)) != 0) Die("zmq_setsockopt");
}

// No limits on messages or queues, large buffers. ZeroMQ sets TCP_NODELAY itself; it has no option for congestion
// control (see UseCubicOnAllSockets), and those for reading and writing more than 8 KiB of small messages with one
// system call are not in Debian's build of it.
void* MakeSocket(void* context, int type) {
  void* const socket = zmq_socket(context, type);
  if (socket == nullptr) Die("zmq_socket");
  Set(socket, ZMQ_SNDHWM, 0);
  Set(socket, ZMQ_RCVHWM, 0);
  Set(socket, ZMQ_LINGER, 0);
  if (const int bytes = absl::GetFlag(FLAGS_zmq_buffer_bytes); bytes > 0) {
    Set(socket, ZMQ_SNDBUF, bytes);
    Set(socket, ZMQ_RCVBUF, bytes);
  }
  return socket;
}

// Requests: [caller] kind, then a message or a payload or nothing. Replies: [caller] what is asked for.
void ServeForEver(const Options& options, void* socket) {
  PayloadParts payloads(options.payload_bytes, options.inflight, options.touch);
  for (;;) {
    Part caller, kind, body;
    if (!caller.ReceiveFrom(socket, true)) continue;
    kind.ReceiveFrom(socket, true);
    body.ReceiveFrom(socket, true);
    switch (static_cast<Kind>(kind.number())) {
      case Kind::kEcho:
        caller.SendOn(socket, true);
        body.SendOn(socket, false);
        break;
      case Kind::kPut: {
        Part arrived(Take(body, options.touch));
        caller.SendOn(socket, true);
        arrived.SendOn(socket, false);
        break;
      }
      case Kind::kGet:
        caller.SendOn(socket, true);
        payloads.Send(socket);
        break;
    }
  }
}

int Connections(const Options& options, int inflight) {
  const int wanted = absl::GetFlag(FLAGS_zmq_connections);
  const bool one = options.payload_bytes > 0 && options.payload_bytes < 4 << 20;
  return std::min(inflight, wanted > 0 ? wanted : one ? 1 : CpuCount());
}

void* MakeContext(const Options& options) {
  void* const context = zmq_ctx_new();
  if (zmq_ctx_set(context, ZMQ_IO_THREADS, Connections(options, options.inflight)) != 0) Die("ZMQ_IO_THREADS");
  return context;
}

std::shared_ptr<void> Serve(const Options& options, int& port) {
  void* const context = MakeContext(options);
  void* const socket = MakeSocket(context, ZMQ_ROUTER);
  if (zmq_bind(socket, "tcp://127.0.0.1:*") != 0) Die("zmq_bind");
  char endpoint[128];
  size_t size = sizeof(endpoint);
  if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0) Die("ZMQ_LAST_ENDPOINT");
  port = std::atoi(std::strrchr(endpoint, ':') + 1);
  return std::make_shared<std::thread>([&options, socket] { ServeForEver(options, socket); });
}

// Keeps a number of calls on their way, by one thread and one socket; replies come in order.
class Pipeline {
 public:
  Pipeline(const Options& options, Kind kind, int inflight, void* context, int port, Recorder& recorder)
      : options_(options),
        kind_(kind),
        recorder_(recorder),
        socket_(MakeSocket(context, ZMQ_DEALER)),
        expected_(kind == Kind::kEcho ? options.message_bytes : options.payload_bytes),
        message_(options.message_bytes, 'x'),
        payloads_(
            std::make_unique<PayloadParts>(kind == Kind::kPut ? options.payload_bytes : 0, inflight, options.touch)) {
    Set(socket_, ZMQ_RCVTIMEO, 20'000);
    const std::string server = "tcp://127.0.0.1:" + std::to_string(port);
    if (zmq_connect(socket_, server.c_str()) != 0) Die("zmq_connect");
    for (int i = 0; i < inflight; ++i) Ask();
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline() {
    // All that was sent has been sent when it has been answered: only then its memory may go.
    while (!began_.empty() && TakeOne()) continue;
    zmq_close(socket_);
  }

  bool Next() {
    if (!TakeOne()) return false;
    Ask();
    return true;
  }

 private:
  void Ask() {
    began_.push_back(Recorder::Now());
    Part(static_cast<uint64_t>(kind_)).SendOn(socket_, true);
    switch (kind_) {
      case Kind::kEcho: {
        // Small messages are copied into the message, as everyone does.
        if (zmq_send(socket_, message_.data(), message_.size(), 0) < 0) Die("zmq_send");
        return;
      }
      case Kind::kPut:
        return payloads_->Send(socket_);
      case Kind::kGet:
        return Part().SendOn(socket_, false);
    }
  }

  bool TakeOne() {
    Part reply;
    if (!reply.ReceiveFrom(socket_, true)) {
      recorder_.Failed("ZeroMQ: no reply within 20 s");
      began_.clear();
      return false;
    }
    const uint64_t arrived = kind_ == Kind::kPut ? reply.number() : Take(reply, kind_ == Kind::kGet && options_.touch);
    if (arrived != expected_) {
      recorder_.Failed("ZeroMQ: " + std::to_string(arrived) + " bytes arrived, and were right, of " +
                       std::to_string(expected_));
      began_.clear();
      return false;
    }
    recorder_.Ended(began_.front(), kind_ == Kind::kEcho ? 0 : arrived);
    began_.pop_front();
    return true;
  }

  const Options& options_;
  const Kind kind_;
  Recorder& recorder_;
  void* const socket_;
  const uint64_t expected_;
  const std::string message_;
  const std::unique_ptr<PayloadParts> payloads_;
  std::deque<Recorder::Time> began_;
};

class ZeromqClient final : public Client {
 public:
  ZeromqClient(const Options& options, int port) : options_(options), port_(port), context_(MakeContext(options)) {}

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    const int connections = Connections(options_, count);
    const auto shares = std::make_shared<Shares>(count, connections);
    return StartThreads(connections, [this, kind, shares, &tally]() -> std::function<bool()> {
      auto pipeline = std::make_shared<Pipeline>(options_, kind, shares->Next(), context_, port_, tally.Add());
      return [pipeline = std::move(pipeline)] { return pipeline->Next(); };
    });
  }

 private:
  const Options& options_;
  const int port_;
  void* const context_;  // until the process ends
};

std::string Version() {
  int major = 0, minor = 0, patch = 0;
  zmq_version(&major, &minor, &patch);
  return "ZeroMQ " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

}  // namespace
}  // namespace pagewire::bench

int main(int argc, char** argv) {
  using pagewire::bench::Options;
  return pagewire::bench::RunProgram(
      {.name = "pagewire-peer-zeromq",
       .version = pagewire::bench::Version(),
       .forms = {{"dealer_router", {"echo", "put", "get", "mixed"}}},
       .serve = pagewire::bench::Serve,
       .connect = [](const Options& options,
                     int port) { return std::make_unique<pagewire::bench::ZeromqClient>(options, port); },
       .bulk_allocator = "tcmalloc"},
      argc, argv);
}
