// pagewire-peer-grpc: gRPC C++ as its users would tune it for bulk; see bench/README.md.
#include "peers/grpc_peer.h"

#include <absl/flags/flag.h>
#include <absl/synchronization/mutex.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/program.h"

// The defaults are what was fastest of what was tried on 2 cores.
ABSL_FLAG(int32_t, http2_frame_bytes, 1 << 20, "GRPC_ARG_HTTP2_MAX_FRAME_SIZE");
ABSL_FLAG(int32_t, read_chunk_bytes, 0, "GRPC_ARG_TCP_READ_CHUNK_SIZE and the most and least of it; 0: gRPC's own");
ABSL_FLAG(bool, minimal_stack, true, "GRPC_ARG_MINIMAL_STACK, and no retries");
ABSL_FLAG(int32_t, lookahead_bytes, -1,
          "GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, without GRPC_ARG_HTTP2_BDP_PROBE; 0: gRPC's own, which probes; "
          "-1: 64 MiB for payloads from 1 MiB on, which costs half as much again for smaller ones");

namespace pagewire::bench {
namespace {

// Sockets: gRPC sets TCP_NODELAY itself; buffers grow by the kernel's own tuning. Its socket mutators, the place for
// TCP_CONGESTION, need headers that are not installed: see UseCubicOnAllSockets.
std::vector<std::pair<const char*, int>> Arguments(const Options& options) {
  std::vector<std::pair<const char*, int>> arguments = {
      {GRPC_ARG_HTTP2_MAX_FRAME_SIZE, absl::GetFlag(FLAGS_http2_frame_bytes)},
      {GRPC_ARG_MINIMAL_STACK, absl::GetFlag(FLAGS_minimal_stack)}};
  const int wanted = absl::GetFlag(FLAGS_lookahead_bytes);
  if (const int bytes = wanted >= 0 ? wanted : options.payload_bytes >= 1 << 20 ? 64 << 20 : 0; bytes > 0) {
    arguments.emplace_back(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, bytes);
    arguments.emplace_back(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  }
  if (const int bytes = absl::GetFlag(FLAGS_read_chunk_bytes); bytes > 0) {
    arguments.emplace_back(GRPC_ARG_TCP_READ_CHUNK_SIZE, bytes);
    arguments.emplace_back(GRPC_ARG_TCP_MIN_READ_CHUNK_SIZE, bytes);
    arguments.emplace_back(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, bytes);
  }
  return arguments;
}

std::shared_ptr<void> Serve(const Options& options, int& port) {
  if (options.form == "sync") return ServeGrpcSync(options, port);
  if (options.form == "callback") return ServeGrpcCallback(options, port);
  return ServeGrpcGeneric(options, port);
}

std::unique_ptr<Client> Connect(const Options& options, int port) {
  if (options.form == "sync") return MakeGrpcSyncClient(options, port);
  if (options.form == "callback") return MakeGrpcCallbackClient(options, port);
  return MakeGrpcGenericClient(options, port);
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeGrpcChannel(const Options& options, int port) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, !absl::GetFlag(FLAGS_minimal_stack));
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  for (const auto& [name, value] : Arguments(options)) arguments.SetInt(name, value);
  return grpc::CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(),
                                   arguments);
}

void SetGrpcOptions(grpc::ServerBuilder& builder, const Options& options, int& port) {
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  for (const auto& [name, value] : Arguments(options)) builder.AddChannelArgument(name, value);
}

}  // namespace pagewire::bench

int main(int argc, char** argv) {
  // Debian's Abseil looks for deadlocks at every lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const std::vector<std::string> all = {"echo", "put", "get", "mixed"};
  return pagewire::bench::RunProgram({.name = "pagewire-peer-grpc",
                                      .version = "gRPC " + grpc::Version(),
                                      .forms = {{"generic", all}, {"callback", all}, {"sync", all}},
                                      .serve = pagewire::bench::Serve,
                                      .connect = pagewire::bench::Connect,
                                      .echo_allocator = "tcmalloc",
                                      .bulk_allocator = "tcmalloc"},
                                     argc, argv);
}
