#include "chaos_server.h"

#include <absl/time/clock.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace pagewire::bench {
namespace {

constexpr int kMostRunMs = 700;
constexpr int kMostDrainMs = 200;

}  // namespace

ChaosServer::ChaosServer(uint64_t seed) : random_(seed) {
  Start("127.0.0.1:0");
  target_ = "ipv4:127.0.0.1:" + std::to_string(port_);
  restarter_ = std::jthread([this](std::stop_token stop) { RestartUntil(std::move(stop)); });
}

ChaosServer::~ChaosServer() { Stop(); }

void ChaosServer::Stop() {
  restarter_.request_stop();
  if (restarter_.joinable()) restarter_.join();
  server_.reset();
}

void ChaosServer::Start(const std::string& address) {
  ServerBuilder builder;
  builder.AddListeningPort(address, InsecureServerCredentials(), &port_);
  builder.RegisterService(&service_);
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    std::abort();
  }
  server_ = *std::move(server);
}

void ChaosServer::RestartUntil(std::stop_token stop) {
  for (;;) {
    const absl::Time restart = absl::Now() + absl::Milliseconds(random_() % kMostRunMs);
    while (absl::Now() < restart) {
      if (stop.stop_requested()) return;
      absl::SleepFor(absl::Milliseconds(5));
    }
    server_->Shutdown(absl::Now() + absl::Milliseconds(random_() % kMostDrainMs));
    server_.reset();
    Start("127.0.0.1:" + std::to_string(port_));
    ++restarts_;
  }
}

}  // namespace pagewire::bench
