#include "idle_connections.h"

#include <absl/time/clock.h>
#include <pagewire/pagewire.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench_service.h"
#include "harness/server_process.h"

namespace pagewire::bench {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::perror(what.c_str());
  std::_Exit(1);
}

// As many as the system lets us have.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) Die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) Die("setrlimit");
}

// Of all TCP sockets of the machine.
int64_t SocketBytes() {
  std::ifstream sockstat("/proc/net/sockstat");
  for (std::string word; sockstat >> word;) {
    if (word != "TCP:") continue;
    while (sockstat >> word && word != "mem") continue;
    int64_t pages = 0;
    sockstat >> pages;
    return pages * sysconf(_SC_PAGESIZE);
  }
  return 0;
}

std::unique_ptr<Server> StartServer(int& port) {
  static BenchService service;
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  if (!server.ok()) std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
  return server.ok() ? *std::move(server) : nullptr;
}

}  // namespace

int RunIdleConnections(int connections) {
  RaiseDescriptorLimit();
  const ServerProcess server(StartServer);
  const std::string target = server.target();
  const auto call = [](const std::shared_ptr<Channel>& channel) {
    Bench::Stub stub(channel);
    ClientContext context;
    context.set_timeout(absl::Seconds(30));
    const auto reply = stub.Unary(context, Job(), Payload());
    if (!reply.ok()) std::fprintf(stderr, "%s\n", reply.status().ToString().c_str());
    return reply.ok();
  };
  // What a first connection makes once for all is not a connection's.
  const auto first = CreateChannel(target, InsecureChannelCredentials());
  if (!call(first)) return 1;
  const uint64_t resident_before = server.usage().resident_bytes;
  const int64_t sockets_before = SocketBytes();
  std::vector<std::shared_ptr<Channel>> channels;
  for (int i = 0; i < connections; ++i) {
    channels.push_back(CreateChannel(target, InsecureChannelCredentials()));
    if (!call(channels.back())) return 1;
  }
  absl::SleepFor(absl::Seconds(1));
  const uint64_t resident = server.usage().resident_bytes - resident_before;
  const int64_t sockets = SocketBytes() - sockets_before;
  std::printf(
      "{\"connections\": %d, \"server_bytes_per_connection\": %lu, \"server_rss_bytes\": %lu, "
      "\"tcp_memory_bytes\": %ld}\n",
      connections, resident / connections, resident, sockets);
  return 0;
}

}  // namespace pagewire::bench
