// The paths that every call takes, for callgrind to count their instructions: bench/hot_paths.py does, and compares.
// Both ends of a connection are in this one thread, on a loop whose clock stands still, with memory between them, so
// that the same code gives the same counts. Without valgrind it only says that the paths work.
#include <absl/time/clock.h>
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/string_view.h"
#include "call/client_connection.h"
#include "call/handler_table.h"
#include "call/server_connection.h"
#include "call/unary_client_call.h"
#include "pagewire/payload_buffer.h"
#include "transport/in_process_stream.h"
#include "transport/manual_loop.h"
#include "wire/frame_decoder.h"
#include "wire/frame_encoder.h"

namespace pagewire::bench {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "hot-paths: %s\n", what.c_str());
  std::exit(1);
}

// Counts `run` alone: callgrind is started with --instr-atstart=no. Before, everything is done often enough to have
// what it keeps: pools, the capacity of buffers.
void Count(const char* name, int times, const std::function<void()>& run) {
  for (int i = 0; i < 50; ++i) run();
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  for (int i = 0; i < times; ++i) run();
  CALLGRIND_STOP_INSTRUMENTATION;
  CALLGRIND_DUMP_STATS_AT(name);
  std::printf("%s %d\n", name, times);
}

constexpr Method kEcho{"/bench.S/Echo", PayloadDirection::kNone};
constexpr Method kPut{"/bench.S/Put", PayloadDirection::kRequest};
constexpr Method kGet{"/bench.S/Get", PayloadDirection::kResponse};

// Every handler answers at once, with what it was given or with what was prepared.
class Handlers final : public call::HandlerTable {
 public:
  const Method* Find(std::string_view name, absl::Status& unknown) const override {
    for (const Method* method : {&kEcho, &kPut, &kGet}) {
      if (method->name == name) return method;
    }
    unknown = absl::UnimplementedError("no such method");
    return nullptr;
  }

  void Run(const Method& method, std::shared_ptr<internal::ServerCallState>, internal::RawMessage request,
           std::shared_ptr<internal::RawServerStream>, Done done) const override {
    internal::RawMessage reply{std::move(request.bytes), Payload()};
    if (&method == &kGet) reply.payload = answer;
    done(std::move(reply));
  }

  Payload answer;  // of Get
};

transport::SessionOptions Options(bool initiator) {
  transport::SessionOptions options;
  options.initiator = initiator;
  options.held_budget = std::make_shared<memory::Budget>("hot-paths", 64 << 20, "raise the budget in hot_paths.cc");
  return options;
}

// A client and its server.
class Ends {
 public:
  Ends() {
    auto [client_stream, server_stream] = transport::MakeInProcessPair(loop_, loop_);
    server_ =
        std::make_shared<call::ServerConnection>(loop_, std::move(server_stream), handlers_, Options(false), [] {});
    server_->Start();
    client_ = std::make_unique<call::ClientConnection>(loop_, std::move(client_stream), observer_, Options(true));
    client_->Start();
    loop_.RunUntilIdle();
  }

  Handlers& handlers() { return handlers_; }

  // One call from its start to its end; it must succeed.
  void Call(const Method& method, const std::string& message, const Payload& payload, uint64_t reply_bytes) {
    call::UnaryRequest request;
    request.terms.method = base::ToAbsl(method.name);
    request.terms.deadline = absl::Now() + absl::Hours(1);
    request.terms.takes_response_payload = HasResponsePayload(method.payload);
    request.terms.max_metadata_bytes = 16 << 10;
    request.message = message;
    request.payload = payload;
    bool right = false;
    auto unary = std::make_shared<call::UnaryClientCall>(loop_, std::move(request), [&](call::UnaryResult result) {
      right = result.outcome.status.ok() && result.message == message && result.payload.size() == reply_bytes;
    });
    unary->ArmDeadline();
    client_->Send(std::move(unary));
    loop_.RunUntilIdle();
    if (!right) Die("a call of " + std::string(method.name) + " failed");
  }

 private:
  class Observer final : public call::ClientConnection::Observer {
    void OnConnectionReady() override {}
    void OnConnectionDraining(const absl::Status&) override {}
    void OnConnectionIdle() override {}
    void OnConnectionClosed(const absl::Status&) override {}
  };

  transport::ManualLoop loop_;
  Handlers handlers_;
  Observer observer_;
  std::shared_ptr<call::ServerConnection> server_;
  std::unique_ptr<call::ClientConnection> client_;
};

Payload Filled(size_t size) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(size);
  std::fill_n(buffer.data(), size, 'x');
  return std::move(buffer).Freeze();
}

void Frames() {
  const std::string message(64, 'x');
  wire::v1::CallStart start;
  start.set_call_id(1'000'001);
  start.set_method("/package.Service/Method");
  start.set_message_size(message.size());
  constexpr uint8_t kFlags = wire::kFlagHasMessage | wire::kFlagCovered | wire::kFlagEndStream;
  std::string out;
  Count("frame_encode", 2000, [&] {
    out.clear();
    wire::AppendFrame(wire::FrameType::kCallStart, kFlags, start, message, out);
  });
  wire::FrameDecoder decoder{wire::FrameLimits()};
  Count("frame_decode", 2000, [&] {
    const auto step = decoder.Decode(out);
    if (!step.ok()) Die(step.status().ToString());
    if (step->consumed != out.size()) Die("a frame was not decoded whole");
  });
}

void Calls() {
  Ends ends;
  const std::string message(64, 'x');
  Count("echo_64B", 1000, [&] { ends.Call(kEcho, message, Payload(), 0); });
  for (const auto& [size, put, get] :
       {std::tuple(64 << 10, "put_64KiB", "get_64KiB"), std::tuple(1 << 20, "put_1MiB", "get_1MiB")}) {
    const Payload payload = Filled(size);
    ends.handlers().answer = payload;
    Count(put, 100, [&] { ends.Call(kPut, message, payload, 0); });
    Count(get, 100, [&, size = size] { ends.Call(kGet, message, Payload(), size); });
  }
}

}  // namespace
}  // namespace pagewire::bench

int main() {
  pagewire::bench::Frames();
  pagewire::bench::Calls();
}
