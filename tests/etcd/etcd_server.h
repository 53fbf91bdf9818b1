// A real etcd on ports and in a folder of its own.
#pragma once

#include <pagewire/etcd.h>

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "etcd/child_process.h"
#include "etcd/curl_loop.h"

namespace pagewire::etcd {

class EtcdServer {
 public:
  static constexpr char kProgram[] = "/usr/bin/etcd";
  static bool Installed();

  enum class Security {
    kPlain,
    kMutualTls,  // with certificates made by the program openssl
  };

  // Runs and answers when this returns.
  explicit EtcdServer(Security security = Security::kPlain);
  ~EtcdServer();
  EtcdServer(const EtcdServer&) = delete;
  EtcdServer& operator=(const EtcdServer&) = delete;

  EtcdOptions options() const;  // for a client

  // kill -9.
  void Kill() { process_.reset(); }

  // On the same port, with what it knew, and waits until it answers.
  void Start();
  void ForgetEverything();  // while it does not run

  // Asks it through the gateway: the answer's JSON.
  absl::StatusOr<std::string> Ask(const std::string& path, std::string body);
  void Put(const std::string& key, const std::string& value);
  void Delete(const std::string& key);

  // Of an entry, 0 if there is none; and how many seconds that lease has left.
  int64_t LeaseOf(const std::string& key);
  int64_t SecondsLeft(int64_t lease);

 private:
  bool TryToStart();

  const std::string folder_;
  const Security security_;
  const std::shared_ptr<CurlLoop> loop_;
  uint16_t client_port_ = 0;
  uint16_t peer_port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace pagewire::etcd
