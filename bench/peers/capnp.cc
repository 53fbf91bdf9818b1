// pagewire-peer-capnp: Cap'n Proto RPC, an event loop on each side; see bench/README.md.
#include <absl/flags/flag.h>
#include <capnp/ez-rpc.h>
#include <kj/async.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "capnp_load.capnp.h"
#include "harness/bytes.h"
#include "harness/program.h"
#include "harness/thread_callers.h"
#include "harness/usage.h"

ABSL_FLAG(
    int32_t, capnp_loops, 0,
    "event loops, which are a thread each, on both sides; 0: as many as there are CPUs, but not more than calls in "
    "flight");

namespace pagewire::bench {
namespace {

// Messages of any size.
capnp::ReaderOptions NoLimits() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = kj::maxValue;
  return options;
}

// Payloads that messages refer to instead of holding them: as many in turn as can be on their way.
class ExternalPayloads {
 public:
  ExternalPayloads(uint64_t bytes, int count, bool touch)
      : bytes_(bytes), touch_(touch), blocks_(count, std::vector<capnp::word>(bytes / 8 + 1)) {
    for (auto& block : blocks_) FillBytes(block.data(), bytes_, 0);
  }

  capnp::Orphan<capnp::Data> Next(capnp::Orphanage orphanage) {
    std::vector<capnp::word>& block = blocks_[made_++ % blocks_.size()];
    if (touch_) FillBytes(block.data(), bytes_, made_);
    return orphanage.referenceExternalData(
        capnp::Data::Reader(reinterpret_cast<const kj::byte*>(block.data()), bytes_));
  }

 private:
  const uint64_t bytes_;
  const bool touch_;
  std::vector<std::vector<capnp::word>> blocks_;
  uint64_t made_ = 0;
};

// What of the payload arrived well; 0 if bytes that were to be read are wrong.
uint64_t Take(capnp::Data::Reader payload, bool touch) {
  if (!touch) return payload.size();
  ByteReader reader;
  reader.Read(payload.begin(), payload.size());
  return reader.right() ? payload.size() : 0;
}

class LoadServer final : public peer::Load::Server {
 public:
  // A get's reply is gone when its client has asked for the next: one more than are in flight is enough.
  LoadServer(const Options& options, const std::vector<int>& ports)
      : touch_(options.touch), ports_(ports), payloads_(options.payload_bytes, options.inflight + 1, options.touch) {}

 private:
  kj::Promise<void> echo(EchoContext context) override {
    context.getResults().setMessage(context.getParams().getMessage());
    return kj::READY_NOW;
  }
  kj::Promise<void> put(PutContext context) override {
    context.getResults().setSize(Take(context.getParams().getPayload(), touch_));
    context.releaseParams();
    return kj::READY_NOW;
  }
  kj::Promise<void> get(GetContext context) override {
    auto results = context.getResults(capnp::MessageSize{8, 0});
    results.adoptPayload(payloads_.Next(capnp::Orphanage::getForMessageContaining(results)));
    return kj::READY_NOW;
  }

  kj::Promise<void> port(PortContext context) override {
    context.getResults().setPort(ports_[context.getParams().getNumber() % ports_.size()]);
    return kj::READY_NOW;
  }

  const bool touch_;
  const std::vector<int>& ports_;
  ExternalPayloads payloads_;
};

int Loops(int inflight) {
  const int wanted = absl::GetFlag(FLAGS_capnp_loops);
  return std::min(inflight, wanted > 0 ? wanted : CpuCount());
}

// An event loop is one thread; several have a port each, and the first says which.
std::shared_ptr<void> Serve(const Options& options, int& port) {
  const auto ports = std::make_shared<std::vector<int>>(Loops(options.inflight));
  for (int& its_port : *ports) {
    std::promise<int> listens;
    std::thread([&listens, &options, ports] {
      capnp::EzRpcServer server(kj::heap<LoadServer>(options, *ports), "127.0.0.1", 0, NoLimits());
      listens.set_value(static_cast<int>(server.getPort().wait(server.getWaitScope())));
      kj::NEVER_DONE.wait(server.getWaitScope());
    }).detach();
    its_port = listens.get_future().get();
  }
  port = ports->front();
  return ports;
}

// Of a loop of the server whose first has that port.
int PortOf(int first, int number) {
  capnp::EzRpcClient client("127.0.0.1", static_cast<kj::uint>(first));
  auto request = client.getMain<peer::Load>().portRequest();
  request.setNumber(number);
  return static_cast<int>(request.send().wait(client.getWaitScope()).getPort());
}

// Keeps a number of calls on their way over one connection; replies come in order.
class Pipeline {
 public:
  Pipeline(const Options& options, Kind kind, int inflight, int port, Recorder& recorder)
      : options_(options),
        kind_(kind),
        recorder_(recorder),
        expected_(kind == Kind::kEcho ? options.message_bytes : options.payload_bytes),
        message_(options.message_bytes, 'x'),
        payloads_(kind == Kind::kPut ? options.payload_bytes : 0, inflight, options.touch),
        client_("127.0.0.1", static_cast<kj::uint>(port), NoLimits()),
        load_(client_.getMain<peer::Load>()) {
    // A client that is made before the connection is there copies the parameters of every call, for ever.
    load_.echoRequest().send().wait(client_.getWaitScope());
    load_ = client_.getMain<peer::Load>();
    load_.whenResolved().wait(client_.getWaitScope());
    for (int i = 0; i < inflight; ++i) Ask();
  }

  bool Next() {
    Call call = std::move(calls_.front());
    calls_.pop_front();
    uint64_t arrived = 0;
    try {
      arrived = call.arrived.wait(client_.getWaitScope());
    } catch (const kj::Exception& error) {
      recorder_.Failed(std::string("Cap'n Proto: ") + error.getDescription().cStr());
      return false;
    }
    if (arrived != expected_) {
      recorder_.Failed("Cap'n Proto: " + std::to_string(arrived) + " bytes arrived, and were right, of " +
                       std::to_string(expected_));
      return false;
    }
    recorder_.Ended(call.began, kind_ == Kind::kEcho ? 0 : arrived);
    Ask();
    return true;
  }

 private:
  struct Call {
    Recorder::Time began;
    kj::Promise<uint64_t> arrived;
  };

  void Ask() {
    const Recorder::Time began = Recorder::Now();
    calls_.push_back({began, Send()});
  }

  // How much arrives by the call. It goes on its way when the loop runs the next time.
  kj::Promise<uint64_t> Send() {
    switch (kind_) {
      case Kind::kEcho: {
        auto request = load_.echoRequest();
        request.setMessage(capnp::Data::Reader(reinterpret_cast<const kj::byte*>(message_.data()), message_.size()));
        return request.send().then([](auto&& reply) -> uint64_t { return reply.getMessage().size(); });
      }
      case Kind::kPut: {
        auto request = load_.putRequest(capnp::MessageSize{8, 0});
        peer::Load::PutParams::Builder parameters = request;
        request.adoptPayload(payloads_.Next(capnp::Orphanage::getForMessageContaining(parameters)));
        return request.send().then([](auto&& reply) -> uint64_t { return reply.getSize(); });
      }
      case Kind::kGet: {
        auto request = load_.getRequest();
        request.setSize(expected_);
        return request.send().then(
            [touch = options_.touch](auto&& reply) -> uint64_t { return Take(reply.getPayload(), touch); });
      }
    }
    return uint64_t{0};
  }

  const Options& options_;
  const Kind kind_;
  Recorder& recorder_;
  const uint64_t expected_;
  const std::string message_;
  ExternalPayloads payloads_;
  capnp::EzRpcClient client_;
  peer::Load::Client load_;
  std::deque<Call> calls_;
};

class CapnpClient final : public Client {
 public:
  CapnpClient(const Options& options, int port) : options_(options), port_(port) {}

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    const int loops = Loops(count);
    const auto shares = std::make_shared<Shares>(count, loops);
    const auto next_loop = std::make_shared<std::atomic<int>>(0);
    return StartThreads(loops, [this, kind, shares, next_loop, &tally]() -> std::function<bool()> {
      const int port = PortOf(port_, (*next_loop)++);
      const auto pipeline = std::make_shared<Pipeline>(options_, kind, shares->Next(), port, tally.Add());
      return [pipeline] { return pipeline->Next(); };
    });
  }

 private:
  const Options& options_;
  const int port_;
};

std::string Version() {
  return "Cap'n Proto " + std::to_string(CAPNP_VERSION_MAJOR) + "." + std::to_string(CAPNP_VERSION_MINOR) + "." +
         std::to_string(CAPNP_VERSION_MICRO);
}

}  // namespace
}  // namespace pagewire::bench

int main(int argc, char** argv) {
  using pagewire::bench::Options;
  return pagewire::bench::RunProgram(
      {.name = "pagewire-peer-capnp",
       .version = pagewire::bench::Version(),
       .forms = {{"data", {"echo", "put", "get", "mixed"}}},
       .serve = pagewire::bench::Serve,
       .connect = [](const Options& options,
                     int port) { return std::make_unique<pagewire::bench::CapnpClient>(options, port); },
       .bulk_allocator = "tcmalloc"},
      argc, argv);
}
