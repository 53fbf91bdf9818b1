// A server that is shut down and started again on its port, at random.
#pragma once

#include <pagewire/pagewire.h>

#include <cstdint>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <thread>

#include "bench_service.h"

namespace pagewire::bench {

class ChaosServer {
 public:
  explicit ChaosServer(uint64_t seed);
  ~ChaosServer();

  const std::string& target() const { return target_; }
  uint64_t restarts() const { return restarts_; }

  // No further restart; the server goes.
  void Stop();

 private:
  void Start(const std::string& address);
  void RestartUntil(std::stop_token stop);

  std::mt19937_64 random_;
  BenchService service_;
  int port_ = 0;
  std::string target_;
  std::unique_ptr<Server> server_;
  uint64_t restarts_ = 0;
  std::jthread restarter_;
};

}  // namespace pagewire::bench
