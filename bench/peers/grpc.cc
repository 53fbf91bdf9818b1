// pagewire-peer-grpc: gRPC C++ as its users would tune it for bulk; see bench/README.md.
#include "peers/grpc_peer.h"

#include <absl/flags/flag.h>
#include <absl/synchronization/mutex.h>

#include "harness/program.h"

// The defaults are what was fastest of what was tried on 2 cores.
ABSL_FLAG(int32_t, http2_frame_bytes, 1 << 20, "GRPC_ARG_HTTP2_MAX_FRAME_SIZE");
ABSL_FLAG(int32_t, read_chunk_bytes, 1 << 20,
          "not for echo: GRPC_ARG_TCP_READ_CHUNK_SIZE and the most and least of it; 0: gRPC's own");
ABSL_FLAG(bool, minimal_stack, true, "GRPC_ARG_MINIMAL_STACK, and no retries");
ABSL_FLAG(int32_t, lookahead_bytes, 64 << 20, "GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES; 0: gRPC's own, with probing");

namespace pagewire::bench {
namespace {

// Sockets: gRPC sets TCP_NODELAY itself; buffers grow by the kernel's own tuning. Its socket mutators, the place for
// TCP_CONGESTION, need headers that are not installed: see UseCubicOnAllSockets.
grpc::ChannelArguments Arguments(bool bulk) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MINIMAL_STACK, absl::GetFlag(FLAGS_minimal_stack));
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, !absl::GetFlag(FLAGS_minimal_stack));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, absl::GetFlag(FLAGS_http2_frame_bytes));
  if (const int bytes = absl::GetFlag(FLAGS_lookahead_bytes); bytes > 0) {
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, bytes);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  }
  if (const int bytes = absl::GetFlag(FLAGS_read_chunk_bytes); bytes > 0 && bulk) {
    arguments.SetInt(GRPC_ARG_TCP_READ_CHUNK_SIZE, bytes);
    arguments.SetInt(GRPC_ARG_TCP_MIN_READ_CHUNK_SIZE, bytes);
    arguments.SetInt(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, bytes);
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
  grpc::ChannelArguments arguments = Arguments(options.workload != "echo");
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(),
                                   arguments);
}

void SetGrpcOptions(grpc::ServerBuilder& builder, const Options& options, int& port) {
  const bool bulk = options.workload != "echo";
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_MINIMAL_STACK, absl::GetFlag(FLAGS_minimal_stack));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, absl::GetFlag(FLAGS_http2_frame_bytes));
  if (const int bytes = absl::GetFlag(FLAGS_lookahead_bytes); bytes > 0) {
    builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, bytes);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  }
  if (const int bytes = absl::GetFlag(FLAGS_read_chunk_bytes); bytes > 0 && bulk) {
    builder.AddChannelArgument(GRPC_ARG_TCP_READ_CHUNK_SIZE, bytes);
    builder.AddChannelArgument(GRPC_ARG_TCP_MIN_READ_CHUNK_SIZE, bytes);
    builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, bytes);
  }
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
