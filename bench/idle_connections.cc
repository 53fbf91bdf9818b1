#include "idle_connections.h"

#include <absl/time/clock.h>
#include <pagewire/pagewire.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bench_service.h"

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

uint64_t ResidentBytes() {
  uint64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
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

// A server that says its port, and then, each time it is asked, how much memory it takes.
class ServerProcess {
 public:
  ServerProcess() {
    int questions[2], answers[2];
    if (pipe(questions) != 0 || pipe(answers) != 0) Die("pipe");
    pid_ = fork();
    if (pid_ == 0) Serve(questions[0], answers[1]);
    ask_ = questions[1];
    answer_ = answers[0];
    port_ = static_cast<int>(Read());
  }
  ~ServerProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  int port() const { return port_; }
  uint64_t Resident() {
    if (write(ask_, "?", 1) != 1) Die("the server is gone");
    return Read();
  }

 private:
  [[noreturn]] static void Serve(int questions, int answers) {
    const auto say = [&](uint64_t value) {
      if (write(answers, &value, sizeof(value)) != sizeof(value)) std::_Exit(1);
    };
    BenchService service;
    ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    const auto server = builder.BuildAndStart();
    if (!server.ok()) Die(std::string(server.status().message()));
    say(port);
    for (char question; read(questions, &question, 1) == 1;) say(ResidentBytes());
    std::_Exit(0);
  }
  uint64_t Read() const {
    uint64_t value = 0;
    if (read(answer_, &value, sizeof(value)) != sizeof(value)) Die("the server says nothing");
    return value;
  }

  pid_t pid_ = 0;
  int ask_ = -1;
  int answer_ = -1;
  int port_ = 0;
};

}  // namespace

int RunIdleConnections(int connections) {
  RaiseDescriptorLimit();
  ServerProcess server;
  const std::string target = "ipv4:127.0.0.1:" + std::to_string(server.port());
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
  const uint64_t resident_before = server.Resident();
  const int64_t sockets_before = SocketBytes();
  std::vector<std::shared_ptr<Channel>> channels;
  for (int i = 0; i < connections; ++i) {
    channels.push_back(CreateChannel(target, InsecureChannelCredentials()));
    if (!call(channels.back())) return 1;
  }
  absl::SleepFor(absl::Seconds(1));
  const uint64_t resident = server.Resident() - resident_before;
  const int64_t sockets = SocketBytes() - sockets_before;
  std::printf(
      "{\"connections\": %d, \"server_bytes_per_connection\": %lu, \"server_rss_bytes\": %lu, "
      "\"tcp_memory_bytes\": %ld}\n",
      connections, resident / connections, resident, sockets);
  return 0;
}

}  // namespace pagewire::bench
