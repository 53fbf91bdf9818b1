#include "etcd/etcd_server.h"

#include <pagewire/internal/blocking.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>

#include "base/status.h"
#include "etcd/http_post.h"
#include "etcd/json.h"
#include "pagewire/etcd.pb.h"

namespace pagewire::etcd {
namespace {

std::string MakeFolder() {
  std::string path = testing::TempDir() + "pagewire-etcd-XXXXXX";
  EXPECT_NE(mkdtemp(path.data()), nullptr) << path;
  return path;
}

// Below those that the system gives to outgoing connections: the port must still be free when etcd is started again.
uint16_t FreePort() {
  static std::minstd_rand bits{std::random_device()()};
  for (;;) {
    const auto port = static_cast<uint16_t>(std::uniform_int_distribution<int>(15000, 31000)(bits));
    const base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return port;
  }
}

// ca.pem, and what it has signed: server.pem for 127.0.0.1, client.pem; other.pem is an authority that nobody trusts.
void MakeCertificates(const std::string& folder) {
  const std::string script = absl::StrCat(
      "cd '", folder,
      "' && exec 2>/dev/null && new='openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes' &&",
      "for ca in ca other; do $new -x509 -days 2 -subj /CN=$ca -keyout $ca.key -out $ca.pem || exit 1; done &&"
      "echo subjectAltName=IP:127.0.0.1 >names && "
      "for who in server client; do "
      "  $new -subj /CN=$who -keyout $who.key -out $who.csr && "
      "  openssl x509 -req -days 2 -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out $who.pem"
      "    || exit 1; done");
  EXPECT_EQ(std::system(script.c_str()), 0) << "openssl could not make certificates in " << folder;
}

}  // namespace

bool EtcdServer::Installed() { return access(kProgram, X_OK) == 0; }

EtcdServer::EtcdServer(Security security) : folder_(MakeFolder()), security_(security), loop_(*CurlLoop::Shared()) {
  if (security_ == Security::kMutualTls) MakeCertificates(folder_);
  do {
    client_port_ = FreePort();
    peer_port_ = FreePort();
  } while (!TryToStart());
}

EtcdServer::~EtcdServer() {
  Kill();
  std::filesystem::remove_all(folder_);
}

EtcdOptions EtcdServer::options() const {
  EtcdOptions options;
  options.timeout = absl::Seconds(20);
  const bool tls = security_ == Security::kMutualTls;
  options.endpoints = {absl::StrCat(tls ? "https" : "http", "://127.0.0.1:", client_port_)};
  if (tls) {
    options.ca_file = folder_ + "/ca.pem";
    options.certificate_file = folder_ + "/client.pem";
    options.key_file = folder_ + "/client.key";
  }
  return options;
}

void EtcdServer::Start() {
  while (!TryToStart()) {
  }
}

void EtcdServer::ForgetEverything() { std::filesystem::remove_all(folder_ + "/data"); }

// False when the process ended instead, because another one had a port.
bool EtcdServer::TryToStart() {
  const std::string peer = absl::StrCat("http://127.0.0.1:", peer_port_);
  const std::string client = options().endpoints.front();
  std::vector<std::string> arguments = {kProgram,
                                        "--name=test",
                                        "--data-dir=" + folder_ + "/data",
                                        "--listen-client-urls=" + client,
                                        "--advertise-client-urls=" + client,
                                        "--listen-peer-urls=" + peer,
                                        "--initial-advertise-peer-urls=" + peer,
                                        "--initial-cluster=test=" + peer,
                                        "--unsafe-no-fsync"};
  if (security_ == Security::kMutualTls) {
    for (const char* more : {"--client-cert-auth", "--trusted-ca-file=", "--cert-file=", "--key-file="}) {
      arguments.emplace_back(more);
    }
    arguments.end()[-3] += folder_ + "/ca.pem";
    arguments.end()[-2] += folder_ + "/server.pem";
    arguments.end()[-1] += folder_ + "/server.key";
  }
  const base::UniqueFd log(open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  process_ = std::make_unique<ChildProcess>(arguments, log.get());
  while (process_->running()) {
    if (Ask("/v3/kv/range", R"({"key":"AA=="})").ok()) return true;
    usleep(20'000);
  }
  return false;
}

absl::StatusOr<std::string> EtcdServer::Ask(const std::string& path, std::string body) {
  absl::StatusOr<std::string> result = std::string();
  internal::Gate done;
  std::optional<HttpPost> post;
  loop_->Post([&] {
    post.emplace(
        *loop_, options(), options().endpoints.front() + path, std::move(body), absl::Seconds(20),
        [&](std::string_view piece) {
          result->append(piece);
          return absl::OkStatus();
        },
        [&](absl::StatusOr<int> code) {
          if (!code.ok()) {
            result = base::CloneStatus(code.status());
          } else if (*code != 200) {
            result = absl::UnknownError(*result);
          }
          post.reset();
          done.Open();
        });
  });
  done.Wait();
  return result;
}

void EtcdServer::Put(const std::string& key, const std::string& value) {
  PutRequest request;
  request.set_key(key);
  request.set_value(value);
  const auto put = Ask("/v3/kv/put", ToJson(request));
  EXPECT_TRUE(put.ok()) << put.status();
}

void EtcdServer::Delete(const std::string& key) {
  const auto deleted = Ask("/v3/kv/deleterange", absl::StrCat(R"({"key":")", absl::Base64Escape(key), "\"}"));
  EXPECT_TRUE(deleted.ok()) << deleted.status();
}

int64_t EtcdServer::LeaseOf(const std::string& key) {
  RangeRequest request;
  request.set_key(key);
  const auto answer = Ask("/v3/kv/range", ToJson(request));
  EXPECT_TRUE(answer.ok()) << answer.status();
  const auto range = FromJson<RangeResponse>(answer.value_or("{}"));
  return range.ok() && range->kvs_size() == 1 ? range->kvs(0).lease() : 0;
}

int64_t EtcdServer::SecondsLeft(int64_t lease) {
  const auto answer = Ask("/v3/lease/timetolive", absl::StrCat(R"({"ID":")", lease, "\"}"));
  EXPECT_TRUE(answer.ok()) << answer.status();
  // Its ID and TTL are named as those of a grant.
  const auto left = FromJson<LeaseGrantResponse>(answer.value_or("{}"));
  return left.ok() ? left->ttl() : 0;
}

}  // namespace pagewire::etcd
