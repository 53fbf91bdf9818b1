#include "transport/stream_kinds.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>

#include "tls/certificates.h"
#include "transport/address.h"
#include "transport/fault_stream.h"
#include "transport/in_process_stream.h"
#include "transport/socket_connector.h"
#include "transport/socket_listener.h"
#include "transport/socket_stream.h"
#include "transport/tls_stream.h"

namespace pagewire::transport::testing {
namespace {

// Small, so that bulk tests block their writers often; odd, so that the end of the ring cuts pieces.
constexpr InProcessOptions kInProcess = {.buffer_bytes = 15'001};

StreamPair ConnectInProcess(Runner& runner) { return MakeInProcessPair(runner.loop(0), runner.loop(1), kInProcess); }

uint64_t Seed() {
  uint64_t seed = 1;
  if (const char* const text = std::getenv("PAGEWIRE_TEST_SEED")) {
    if (!absl::SimpleAtoi(text, &seed)) ADD_FAILURE() << "PAGEWIRE_TEST_SEED=" << text << " is not a number";
  }
  return seed;
}

std::unique_ptr<ByteStream> WithFaults(std::unique_ptr<ByteStream> stream, Loop& loop, uint64_t seed) {
  const FaultPlan plan = {.seed = seed, .short_read = 0.5, .short_write = 0.5, .blocked = 0.1};
  return std::make_unique<FaultStream>(std::move(stream), loop, plan);
}

StreamKind UnderFaults(StreamKind kind) {
  kind.name += "WithFaults";
  kind.has_faults = true;
  kind.make_pair = [make_pair = std::move(kind.make_pair)](Runner& runner) {
    StreamPair pair = make_pair(runner);
    return StreamPair(WithFaults(std::move(pair.first), runner.loop(0), 2 * Seed()),
                      WithFaults(std::move(pair.second), runner.loop(1), 2 * Seed() + 1));
  };
  return kind;
}

const std::shared_ptr<TlsContext>& Tls(bool server) {
  static const auto contexts = [] {
    pagewire::testing::Authority authority("transport tests");
    const auto files = authority.Issue({.common_name = "both", .names = {"DNS:both.test"}});
    const std::string trusted = pagewire::testing::WriteFile(authority.pem());
    TlsFiles client = {.ca_file = trusted};
    TlsFiles serving = {.server = true, .certificate_file = files.certificate, .private_key_file = files.private_key};
    return std::pair(*TlsContext::Load(client), *TlsContext::Load(serving));
  }();
  return server ? contexts.second : contexts.first;
}

std::unique_ptr<ByteStream> WithTls(std::unique_ptr<ByteStream> stream, Loop& loop, bool server) {
  return std::make_unique<TlsStream>(std::move(stream), loop, *Tls(server)->NewConnection("both.test"), server,
                                     "both.test");
}

StreamKind UnderTls(StreamKind kind) {
  kind.name = kind.has_faults ? "TlsOverFaultsAnd" + kind.name : "Tls" + kind.name;
  kind.make_pair = [make_pair = std::move(kind.make_pair)](Runner& runner) {
    StreamPair pair = make_pair(runner);
    return StreamPair(WithTls(std::move(pair.first), runner.loop(0), /*server=*/false),
                      WithTls(std::move(pair.second), runner.loop(1), /*server=*/true));
  };
  return kind;
}

bool HasIpv6() {
  auto listener = SocketListener::Listen(Ipv6Loopback(), {}, ThreadedRunner::SharedLoop(0));
  return listener.ok();
}

}  // namespace

SocketAddress Ipv4Loopback() { return ParseListeningAddress("127.0.0.1:0")->addresses.at(0); }

SocketAddress Ipv6Loopback() { return ParseListeningAddress("[::1]:0")->addresses.at(0); }

SocketAddress NewUnixAddress() {
  static std::atomic<int> count = 0;
  return ParseTarget(absl::StrCat("unix:", ::testing::TempDir(), "pagewire-", getpid(), "-", ++count))->addresses.at(0);
}

StreamPair ConnectSockets(Runner& runner, const SocketAddress& address, const TcpOptions& options) {
  EpollLoop& client_loop = ThreadedRunner::SharedLoop(0);
  EpollLoop& server_loop = ThreadedRunner::SharedLoop(1);
  auto listener = *SocketListener::Listen(address, options, server_loop);
  std::optional<ConnectedSocket> accepted;
  std::optional<absl::StatusOr<ConnectedSocket>> connected;
  std::unique_ptr<SocketConnector> connector;
  runner.Run(1, [&] {
    EXPECT_EQ(listener->Start([&](ConnectedSocket socket) {
      base::MutexLock lock(runner.mutex());
      accepted = std::move(socket);
      runner.Changed();
    }),
              absl::OkStatus());
  });
  runner.Run(0, [&] {
    connector =
        std::make_unique<SocketConnector>(client_loop, std::vector{listener->address()}, ConnectOptions{.tcp = options},
                                          [&](absl::StatusOr<ConnectedSocket> result) {
                                            base::MutexLock lock(runner.mutex());
                                            connected = std::move(result);
                                            runner.Changed();
                                          });
  });
  EXPECT_TRUE(runner.Await([&] { return accepted && connected; }));
  runner.Run(0, [&] { connector.reset(); });
  runner.Run(1, [&] { listener.reset(); });
  EXPECT_EQ(connected->status(), absl::OkStatus());
  return {std::make_unique<SocketStream>(**std::move(connected), client_loop),
          std::make_unique<SocketStream>(*std::move(accepted), server_loop)};
}

std::vector<StreamKind> AllStreamKinds() {
  const auto threaded = [] { return std::make_unique<ThreadedRunner>(); };
  const auto manual = [] { return std::make_unique<ManualRunner>(); };
  std::vector<StreamKind> kinds = {
      {"Ipv4", threaded, [](Runner& runner) { return ConnectSockets(runner, Ipv4Loopback()); }},
      {"Unix", threaded, [](Runner& runner) { return ConnectSockets(runner, NewUnixAddress()); }, /*has_reset=*/false},
      {"InProcess", threaded, ConnectInProcess},
      {"InProcessManual", manual, ConnectInProcess},
  };
  if (HasIpv6()) {
    kinds.push_back({"Ipv6", threaded, [](Runner& runner) { return ConnectSockets(runner, Ipv6Loopback()); }});
  }
  const std::vector<StreamKind> plain = kinds;
  for (const StreamKind& kind : plain) {
    kinds.push_back(UnderFaults(kind));
    kinds.push_back(UnderTls(kind));
    kinds.push_back(UnderFaults(UnderTls(kind)));
    kinds.push_back(UnderTls(UnderFaults(kind)));
  }
  return kinds;
}

}  // namespace pagewire::transport::testing
