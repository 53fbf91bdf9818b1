// Servers and a client for the test of restarts.
//
// tally_program serve ETCD NUMBER FILE
//   Serves Tally on a free port, entered in etcd as "tally" for two seconds at a time. Each Add is written to FILE
//   before it is answered. Prints "ready"; ends when killed.
// tally_program call ETCD SECONDS
//   Calls Read and Add by turns from several threads, through etcd, round_robin, with retries; a line of JSON at the
//   end.
#include <absl/strings/numbers.h>
#include <absl/time/clock.h>
#include <fcntl.h>
#include <pagewire/etcd.h>
#include <pagewire/pagewire.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "tally.pagewire.h"

namespace pagewire::test {
namespace {

class Counting final : public Tally::Service {
 public:
  Counting(uint32_t number, int file) : number_(number), file_(file) {}

  absl::StatusOr<TallyReply> Read(ServerContext&, const TallyRequest&) override { return Answer(); }

  absl::StatusOr<TallyReply> Add(ServerContext&, const TallyRequest& request) override {
    const std::string line = std::to_string(request.id()) + "\n";
    if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      return absl::InternalError("the file cannot be written");
    }
    return Answer();
  }

 private:
  TallyReply Answer() const {
    TallyReply reply;
    reply.set_server(number_);
    return reply;
  }
  const uint32_t number_;
  const int file_;
};

EtcdOptions At(const std::string& endpoint) {
  EtcdOptions options;
  options.endpoints = {endpoint};
  return options;
}

int Serve(const std::string& etcd, uint32_t number, const char* file) {
  Counting service(number, open(file, O_WRONLY | O_CREAT | O_APPEND, 0600));
  ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<Server> server = builder.BuildAndStart().value();
  const auto registration =
      EtcdRegistration::Register(At(etcd), "tally", "ipv4:127.0.0.1:" + std::to_string(port), absl::Seconds(2));
  if (!registration.ok()) {
    std::cerr << registration.status() << "\n";
    return 1;
  }
  std::cout << "ready" << std::endl;
  server->Wait();
  return 0;
}

struct Findings {
  base::Mutex mutex;
  std::vector<uint64_t> added ABSL_GUARDED_BY(mutex);
  std::set<uint32_t> servers ABSL_GUARDED_BY(mutex);
  std::string read_error ABSL_GUARDED_BY(mutex);
  std::atomic<uint64_t> reads = 0;
  std::atomic<uint64_t> read_failures = 0;
  std::atomic<uint64_t> add_failures = 0;
};

void CallUntil(absl::Time end, Tally::Stub& stub, uint64_t first_id, Findings& findings) {
  for (uint64_t id = first_id; absl::Now() < end; ++id) {
    TallyRequest request;
    request.set_id(id);
    ClientContext read_context;
    read_context.set_timeout(absl::Seconds(30));
    const absl::StatusOr<TallyReply> read = stub.Read(read_context, request);
    ++findings.reads;
    ClientContext add_context;
    add_context.set_timeout(absl::Seconds(30));
    const absl::StatusOr<TallyReply> added = stub.Add(add_context, request);
    findings.read_failures += !read.ok();
    findings.add_failures += !added.ok();
    base::MutexLock lock(findings.mutex);
    if (!read.ok()) findings.read_error = read.status().ToString();
    if (read.ok()) findings.servers.insert(read->server());
    if (added.ok()) findings.added.push_back(id);
  }
}

int Call(const std::string& etcd, int seconds) {
  if (const absl::Status status = RegisterEtcdResolver(At(etcd)); !status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }
  ChannelOptions options;
  options.initial_backoff = absl::Milliseconds(50);
  options.max_backoff = absl::Milliseconds(500);
  options.service_config = R"({"loadBalancingConfig": [{"round_robin": {}}],
      "methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.05s",
      "maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
  Tally::Stub stub(CreateCustomChannel("etcd:///tally", InsecureChannelCredentials(), options));
  Findings findings;
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  constexpr uint64_t kThreads = 4;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { CallUntil(end, stub, i << 40, findings); });
  }
  for (std::thread& thread : threads) thread.join();
  base::MutexLock lock(findings.mutex);
  std::cout << "{\"reads\": " << findings.reads << ", \"read_failures\": " << findings.read_failures
            << ", \"add_failures\": " << findings.add_failures << ", \"servers\": " << findings.servers.size()
            << ", \"read_error\": \"" << findings.read_error << "\", \"added\": [";
  for (size_t i = 0; i < findings.added.size(); ++i) std::cout << (i == 0 ? "" : ", ") << findings.added[i];
  std::cout << "]}" << std::endl;
  return 0;
}

}  // namespace
}  // namespace pagewire::test

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() == 4 && words[0] == "serve") {
    return pagewire::test::Serve(words[1], static_cast<uint32_t>(std::stoul(words[2])), words[3].c_str());
  }
  if (words.size() == 3 && words[0] == "call") return pagewire::test::Call(words[1], std::stoi(words[2]));
  std::cerr << "see the comment at the top of tally_program.cc\n";
  return 2;
}
