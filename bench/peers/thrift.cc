// pagewire-peer-thrift: Apache Thrift C++, binary protocol, a thread for each connection; see bench/README.md.
#include <absl/flags/flag.h>
#include <thrift/TConfiguration.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TServerSocket.h>
#include <thrift/transport/TSocket.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "Load.h"
#include "harness/bytes.h"
#include "harness/program.h"
#include "harness/thread_callers.h"
#include "harness/usage.h"

ABSL_FLAG(
    int32_t, thrift_connections, 0,
    "connections, with a thread each at both ends, between which what is in flight is divided; 0: at most two for "
    "echo, and as many as payloads are in flight");
ABSL_FLAG(int32_t, thrift_buffer_bytes, 256 << 10, "of each transport's buffers");
ABSL_FLAG(int32_t, thrift_socket_bytes, 0, "SO_SNDBUF and SO_RCVBUF; 0: the kernel's own tuning");

namespace pagewire::bench {
namespace {

using apache::thrift::TConfiguration;
using apache::thrift::protocol::TProtocol;
using apache::thrift::transport::TBufferedTransport;
using apache::thrift::transport::TFramedTransport;
using apache::thrift::transport::TSocket;
using apache::thrift::transport::TTransport;

// No limits but those of the types.
std::shared_ptr<TConfiguration> NoLimits() {
  return std::make_shared<TConfiguration>(std::numeric_limits<int>::max(), std::numeric_limits<int>::max());
}

// Thrift counts what it reads against the largest message, and for these transports never begins anew: a connection
// would end after 2 GiB.
template <typename Transport>
class Endless final : public Transport {
 public:
  using Transport::Transport;
  uint32_t readEnd() override {
    this->resetConsumedMessageSize();
    return Transport::readEnd();
  }
};

// The form: how messages lie in the stream.
class Transports final : public apache::thrift::transport::TTransportFactory {
 public:
  explicit Transports(bool framed) : framed_(framed) {}
  std::shared_ptr<TTransport> getTransport(std::shared_ptr<TTransport> socket) override {
    const auto bytes = static_cast<uint32_t>(absl::GetFlag(FLAGS_thrift_buffer_bytes));
    if (!framed_) return std::make_shared<Endless<TBufferedTransport>>(socket, bytes, NoLimits());
    return std::make_shared<Endless<TFramedTransport>>(socket, bytes, std::numeric_limits<uint32_t>::max(), NoLimits());
  }

 private:
  const bool framed_;
};

class Listener final : public apache::thrift::transport::TServerSocket {
 public:
  Listener() : TServerSocket("127.0.0.1", 0) {
    if (const int bytes = absl::GetFlag(FLAGS_thrift_socket_bytes); bytes > 0) {
      setTcpSendBuffer(bytes);
      setTcpRecvBuffer(bytes);
    }
  }

 private:
  std::shared_ptr<TSocket> createSocket(THRIFT_SOCKET socket) override {
    return std::make_shared<TSocket>(socket, NoLimits());
  }
};

// What of the payload arrived well; 0 if bytes that were to be read are wrong.
uint64_t Take(const std::string& payload, bool touch) {
  if (!touch) return payload.size();
  ByteReader reader;
  reader.Read(payload.data(), payload.size());
  return reader.right() ? payload.size() : 0;
}

class Handler final : public peer::LoadIf {
 public:
  explicit Handler(bool touch) : touch_(touch) {}
  void echo(std::string& reply, const std::string& message) override { reply = message; }
  int64_t put(const std::string& payload) override { return static_cast<int64_t>(Take(payload, touch_)); }
  void get(std::string& reply, int64_t size) override {
    if (touch_ || reply.size() != static_cast<size_t>(size)) {
      reply.resize(size);
      FillBytes(reply.data(), reply.size(), seed_++);
    }
  }

 private:
  const bool touch_;
  std::atomic<uint64_t> seed_ = 0;
};

// What the generated processor does, with arguments and results that each connection uses again: a new string for each
// payload would be allocated, filled with zeros and only then written to.
class ReusingProcessor final : public peer::LoadProcessor {
 public:
  explicit ReusingProcessor(const std::shared_ptr<Handler>& handler) : LoadProcessor(handler), handler_(*handler) {}

 private:
  bool dispatchCall(TProtocol* in, TProtocol* out, const std::string& name, int32_t number, void* context) override {
    if (name == "put") {
      thread_local peer::Load_put_args arguments;
      Read(arguments, in);
      peer::Load_put_result result;
      result.success = handler_.put(arguments.payload);
      result.__isset.success = true;
      Write(result, name, number, out);
      return true;
    }
    if (name == "get") {
      thread_local peer::Load_get_args arguments;
      thread_local peer::Load_get_result result;
      Read(arguments, in);
      handler_.get(result.success, arguments.size);
      result.__isset.success = true;
      Write(result, name, number, out);
      return true;
    }
    return LoadProcessor::dispatchCall(in, out, name, number, context);
  }

  template <typename Arguments>
  static void Read(Arguments& arguments, TProtocol* in) {
    arguments.read(in);
    in->readMessageEnd();
    in->getTransport()->readEnd();
  }

  template <typename Result>
  static void Write(const Result& result, const std::string& name, int32_t number, TProtocol* out) {
    out->writeMessageBegin(name, apache::thrift::protocol::T_REPLY, number);
    result.write(out);
    out->writeMessageEnd();
    out->getTransport()->writeEnd();
    out->getTransport()->flush();
  }

  Handler& handler_;
};

std::shared_ptr<void> Serve(const Options& options, int& port) {
  const auto listener = std::make_shared<Listener>();
  const auto server = std::make_shared<apache::thrift::server::TThreadedServer>(
      std::make_shared<ReusingProcessor>(std::make_shared<Handler>(options.touch)), listener,
      std::make_shared<Transports>(options.form == "framed"),
      std::make_shared<apache::thrift::protocol::TBinaryProtocolFactory>());
  // Its port is known when it listens.
  struct Listening final : apache::thrift::server::TServerEventHandler {
    void preServe() override { listens.set_value(); }
    std::promise<void> listens;
  };
  const auto listening = std::make_shared<Listening>();
  server->setServerEventHandler(listening);
  std::thread([server] { server->serve(); }).detach();
  listening->listens.get_future().wait();
  port = listener->getPort();
  return server;
}

// Keeps a number of calls on their way over one connection; replies come in order.
class Pipeline {
 public:
  Pipeline(const Options& options, Kind kind, int inflight, int port, Recorder& recorder)
      : options_(options),
        kind_(kind),
        recorder_(recorder),
        expected_(kind == Kind::kEcho ? options.message_bytes : options.payload_bytes),
        socket_(std::make_shared<TSocket>("127.0.0.1", port, NoLimits())),
        client_(std::make_shared<apache::thrift::protocol::TBinaryProtocol>(
            Transports(options.form == "framed").getTransport(socket_))) {
    socket_->open();
    if (kind != Kind::kGet) {
      sent_.resize(kind == Kind::kPut ? inflight : 1, std::string(expected_, 'x'));
    }
    for (int i = 0; i < inflight; ++i) Ask();
  }

  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  // The server has answered all when its connection ends.
  ~Pipeline() {
    try {
      while (!began_.empty() && TakeOne()) continue;
    } catch (const apache::thrift::TException&) {
      // has been told by Next
    }
  }

  bool Next() {
    if (!TakeOne()) return false;
    Ask();
    return true;
  }

 private:
  void Ask() {
    began_.push_back(Recorder::Now());
    switch (kind_) {
      case Kind::kEcho:
        return client_.send_echo(sent_.front());
      case Kind::kPut: {
        // (All of it is in the socket when this returns.)
        std::string& payload = sent_[seed_++ % sent_.size()];
        if (options_.touch) FillBytes(payload.data(), payload.size(), seed_);
        return client_.send_put(payload);
      }
      case Kind::kGet:
        return client_.send_get(static_cast<int64_t>(expected_));
    }
  }

  bool TakeOne() {
    uint64_t arrived = 0;
    switch (kind_) {
      case Kind::kEcho:
        client_.recv_echo(received_);
        arrived = received_.size();
        break;
      case Kind::kPut:
        arrived = static_cast<uint64_t>(client_.recv_put());
        break;
      case Kind::kGet:
        client_.recv_get(received_);
        arrived = Take(received_, options_.touch);
        break;
    }
    if (arrived != expected_) {
      recorder_.Failed("Thrift: " + std::to_string(arrived) + " bytes arrived, and were right, of " +
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
  const uint64_t expected_;
  const std::shared_ptr<TSocket> socket_;
  peer::LoadClient client_;
  std::vector<std::string> sent_;  // as many payloads as are in flight
  std::string received_;
  uint64_t seed_ = 0;
  std::deque<Recorder::Time> began_;
};

class ThriftClient final : public Client {
 public:
  ThriftClient(const Options& options, int port) : options_(options), port_(port) {}

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    const int wanted = absl::GetFlag(FLAGS_thrift_connections);
    const int connections = std::min(count, wanted > 0 ? wanted : CpuCount());
    const auto shares = std::make_shared<Shares>(count, connections);
    return StartThreads(connections, [this, kind, shares, &tally]() -> std::function<bool()> {
      Recorder& recorder = tally.Add();
      try {
        const auto pipeline = std::make_shared<Pipeline>(options_, kind, shares->Next(), port_, recorder);
        return [pipeline, &recorder] {
          try {
            return pipeline->Next();
          } catch (const apache::thrift::TException& error) {
            recorder.Failed(std::string("Thrift: ") + error.what());
            return false;
          }
        };
      } catch (const apache::thrift::TException& error) {
        recorder.Failed(std::string("Thrift: ") + error.what());
        return [] { return false; };
      }
    });
  }

 private:
  const Options& options_;
  const int port_;
};

}  // namespace
}  // namespace pagewire::bench

int main(int argc, char** argv) {
  using pagewire::bench::Options;
  const std::vector<std::string> all = {"echo", "put", "get", "mixed"};
  return pagewire::bench::RunProgram(
      {.name = "pagewire-peer-thrift",
       .version = std::string("Thrift ") + PACKAGE_VERSION,
       .forms = {{"buffered", all}, {"framed", all}},
       .serve = pagewire::bench::Serve,
       .connect = [](const Options& options,
                     int port) { return std::make_unique<pagewire::bench::ThriftClient>(options, port); }},
      argc, argv);
}
