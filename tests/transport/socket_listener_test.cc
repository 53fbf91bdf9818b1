#include "transport/socket_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "transport/address.h"
#include "transport/loop_testing.h"
#include "transport/runner.h"
#include "transport/stream_kinds.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SocketListenerTest : public ::testing::Test {
 protected:
  ~SocketListenerTest() override { Stop(); }

  void Start(const SocketAddress& address, const TcpOptions& options = {}) {
    auto listener = SocketListener::Listen(address, options, loop_);
    ASSERT_EQ(listener.status(), absl::OkStatus());
    listener_ = *std::move(listener);
    RunOn(loop_, [this] {
      EXPECT_EQ(listener_->Start([this](ConnectedSocket socket) {
        base::MutexLock lock(runner_.mutex());
        accepted_.push_back(std::move(socket));
        runner_.Changed();
      }),
                absl::OkStatus());
    });
  }

  void Stop() {
    RunOn(loop_, [this] { listener_.reset(); });
  }

  bool AwaitAccepted(size_t count) {
    return runner_.Await([&] { return accepted_.size() >= count; });
  }

  static base::UniqueFd NewSocket(const SocketAddress& to) {
    return base::UniqueFd(socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  }
  static base::UniqueFd Connect(const SocketAddress& to) {
    base::UniqueFd fd = NewSocket(to);
    EXPECT_EQ(connect(fd.get(), to.get(), to.length()), 0) << to.ToString();
    return fd;
  }

  EpollLoop& loop_ = ThreadedRunner::SharedLoop(0);
  ThreadedRunner runner_;
  std::unique_ptr<SocketListener> listener_;
  std::vector<ConnectedSocket> accepted_;  // guarded by runner_.mutex() while the listener runs
};

TEST_F(SocketListenerTest, TakesAFreePortAndAcceptsEverybody) {
  Start(Ipv4Loopback());
  EXPECT_GT(listener_->address().port(), 0);
  // More than it accepts in one go, all waiting before it begins: connections queue from Listen on.
  std::vector<base::UniqueFd> clients;
  RunOn(loop_, [&] {
    for (int i = 0; i < 150; ++i) clients.push_back(Connect(listener_->address()));
  });
  EXPECT_TRUE(AwaitAccepted(150));
  Stop();
  EXPECT_EQ(accepted_[7].peer.ToString(), SocketAddress::LocalOf(clients[7].get()).ToString());
  EXPECT_EQ(fcntl(accepted_[7].fd.get(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(fcntl(accepted_[7].fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(SocketListenerTest, AcceptedSocketsHaveTheOptions) {
  Start(Ipv4Loopback(), {.receive_buffer_bytes = 50'000, .unsent_bytes = 77'777, .congestion_control = "reno"});
  const base::UniqueFd client = Connect(listener_->address());
  ASSERT_TRUE(AwaitAccepted(1));
  Stop();
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t length = sizeof(value);
    EXPECT_EQ(getsockopt(accepted_[0].fd.get(), level, name, &value, &length), 0);
    return value;
  };
  EXPECT_NE(option(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NOTSENT_LOWAT), 77'777);
  EXPECT_EQ(option(SOL_SOCKET, SO_RCVBUF), 100'000);
}

TEST_F(SocketListenerTest, AnyIpv6TakesIpv4Too) {
  auto any = SocketListener::Listen(ParseListeningAddress("[::]:0")->addresses.at(0), {}, loop_);
  if (!any.ok()) GTEST_SKIP() << "no IPv6 here: " << any.status();
  any->reset();
  Start(ParseListeningAddress("[::]:0")->addresses.at(0));
  const auto port = std::to_string(listener_->address().port());
  const base::UniqueFd client = Connect(ParseTarget("127.0.0.1:" + port)->addresses.at(0));
  EXPECT_TRUE(AwaitAccepted(1));
  Stop();
  EXPECT_TRUE(accepted_[0].peer.is_loopback());
}

TEST_F(SocketListenerTest, AnAddressInUseIsUnavailable) {
  Start(Ipv4Loopback());
  const auto second = SocketListener::Listen(listener_->address(), {}, loop_);
  EXPECT_EQ(second.status(), absl::UnavailableError("cannot listen on " + listener_->address().ToString() +
                                                    ": Address already in use (EADDRINUSE)"));
}

TEST_F(SocketListenerTest, AnotherHostsAddressIsUnavailable) {
  // From the block for documentation (RFC 5737).
  const auto elsewhere = SocketListener::Listen(ParseListeningAddress("192.0.2.1:0")->addresses.at(0), {}, loop_);
  EXPECT_EQ(
      elsewhere.status(),
      absl::UnavailableError("cannot listen on ipv4:192.0.2.1:0: Cannot assign requested address (EADDRNOTAVAIL)"));
}

TEST_F(SocketListenerTest, APortIsFreeAgainAtOnce) {
  Start(Ipv4Loopback());
  const SocketAddress address = listener_->address();
  const base::UniqueFd client = Connect(address);
  ASSERT_TRUE(AwaitAccepted(1));
  Stop();
  accepted_.clear();  // closed by this side first: the connection stays in TIME_WAIT
  Start(address);
}

TEST_F(SocketListenerTest, WithoutDescriptorsItIsResourceExhausted) {
  if (!CanRunOutOfDescriptors()) GTEST_SKIP() << "UBSan needs descriptors of its own";
  const NoFreeDescriptors none;
  const auto listener = SocketListener::Listen(Ipv4Loopback(), {}, loop_);
  EXPECT_EQ(listener.status(),
            absl::ResourceExhaustedError("cannot listen on ipv4:127.0.0.1:0: Too many open files (EMFILE)"));
}

TEST_F(SocketListenerTest, SurvivesALackOfDescriptors) {
  if (!CanRunOutOfDescriptors()) GTEST_SKIP() << "UBSan needs descriptors of its own";
  const CapturedLog log;
  Start(Ipv4Loopback());
  const SocketAddress address = listener_->address();
  base::UniqueFd refused[] = {NewSocket(address), NewSocket(address)};
  {
    const NoFreeDescriptors none;
    for (const auto& fd : refused) ASSERT_EQ(connect(fd.get(), address.get(), address.length()), 0);
    for (const auto& fd : refused) {
      // Closed by the server, which could not keep it, instead of left waiting.
      char byte;
      EXPECT_LE(recv(fd.get(), &byte, 1, 0), 0);
    }
  }
  const base::UniqueFd served = Connect(address);
  EXPECT_TRUE(AwaitAccepted(1));
  Stop();
  EXPECT_EQ(accepted_.size(), 1u);
  EXPECT_EQ(accepted_[0].peer.port(), SocketAddress::LocalOf(served.get()).port());
  EXPECT_THAT(log.lines(), ElementsAre("cannot accept connections on " + address.ToString() +
                                       " for now: Too many open files (EMFILE)"));
}

TEST_F(SocketListenerTest, DestructionResetsWhoWasNotAccepted) {
  auto listener = *SocketListener::Listen(Ipv4Loopback(), {}, loop_);
  const base::UniqueFd client = Connect(listener->address());
  listener.reset();
  char byte;
  EXPECT_EQ(recv(client.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

bool Exists(const std::string& path) {
  struct stat file;
  return lstat(path.c_str(), &file) == 0;
}

TEST_F(SocketListenerTest, AUnixSocketsFileComesAndGoes) {
  const SocketAddress address = NewUnixAddress();
  Start(address);
  EXPECT_EQ(listener_->address().ToString(), address.ToString());
  EXPECT_TRUE(Exists(address.path()));
  const base::UniqueFd client = Connect(address);
  EXPECT_TRUE(AwaitAccepted(1));
  Stop();
  EXPECT_FALSE(Exists(address.path()));
}

TEST_F(SocketListenerTest, AStaleUnixSocketIsReplaced) {
  const SocketAddress address = NewUnixAddress();
  {
    const base::UniqueFd dead = NewSocket(address);
    ASSERT_EQ(bind(dead.get(), address.get(), address.length()), 0);
  }
  ASSERT_TRUE(Exists(address.path()));
  Start(address);
  const base::UniqueFd client = Connect(address);
  EXPECT_TRUE(AwaitAccepted(1));
}

TEST_F(SocketListenerTest, ALivingUnixSocketIsNotReplaced) {
  Start(NewUnixAddress());
  const auto second = SocketListener::Listen(listener_->address(), {}, loop_);
  EXPECT_EQ(second.status(), absl::UnavailableError("cannot listen on " + listener_->address().ToString() +
                                                    ": Address already in use (EADDRINUSE)"));
  EXPECT_TRUE(Exists(listener_->address().path()));
}

TEST_F(SocketListenerTest, AFileThatIsNoSocketIsLeftAlone) {
  const SocketAddress address = NewUnixAddress();
  { const base::UniqueFd file(open(address.path().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); }
  const auto listener = SocketListener::Listen(address, {}, loop_);
  EXPECT_EQ(listener.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(listener.status().message()), HasSubstr("Address already in use (EADDRINUSE)"));
  EXPECT_TRUE(Exists(address.path()));
  unlink(address.path().c_str());
}

TEST_F(SocketListenerTest, TheFileOfASuccessorStays) {
  Start(NewUnixAddress());
  const SocketAddress address = listener_->address();
  // Somebody removed the file, and another server came.
  unlink(address.path().c_str());
  auto successor = SocketListener::Listen(address, {}, loop_);
  ASSERT_EQ(successor.status(), absl::OkStatus());
  Stop();
  EXPECT_TRUE(Exists(address.path()));
  successor->reset();
  EXPECT_FALSE(Exists(address.path()));
}

}  // namespace
}  // namespace pagewire::transport::testing
