#include "transport/socket_connector.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/address.h"
#include "transport/loop_testing.h"
#include "transport/runner.h"
#include "transport/socket_listener.h"
#include "transport/stream_kinds.h"

namespace pagewire::transport::testing {
namespace {

class SocketConnectorTest : public ::testing::Test {
 protected:
  ~SocketConnectorTest() override {
    RunOn(loop_, [this] { connector_.reset(); });
  }

  // A listener that never accepts; the kernel completes connections all the same.
  SocketAddress Listening(int backlog = 16) {
    const SocketAddress address = Ipv4Loopback();
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd.get(), address.get(), address.length()), 0);
    EXPECT_EQ(listen(fd.get(), backlog), 0);
    listeners_.push_back(std::move(fd));
    return SocketAddress::LocalOf(listeners_.back().get());
  }

  // A port that is taken and does not listen.
  SocketAddress Refusing() {
    const SocketAddress address = Ipv4Loopback();
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd.get(), address.get(), address.length()), 0);
    listeners_.push_back(std::move(fd));
    return SocketAddress::LocalOf(listeners_.back().get());
  }

  // A listener whose queue is full, so that the kernel drops further attempts without a word.
  SocketAddress Silent() {
    const SocketAddress address = Listening(/*backlog=*/0);
    for (int i = 0; i < 4; ++i) {
      base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      static_cast<void>(connect(fd.get(), address.get(), address.length()));
      listeners_.push_back(std::move(fd));
    }
    return address;
  }

  void Begin(std::vector<SocketAddress> addresses, ConnectOptions options = {}) {
    RunOn(loop_, [&] {
      connector_ = std::make_unique<SocketConnector>(loop_, std::move(addresses), std::move(options),
                                                     [this](absl::StatusOr<ConnectedSocket> result) {
                                                       EXPECT_TRUE(loop_.InLoop());
                                                       base::MutexLock lock(runner_.mutex());
                                                       EXPECT_FALSE(result_) << "the result came twice";
                                                       result_ = std::move(result);
                                                       runner_.Changed();
                                                     });
      EXPECT_FALSE(result_) << "the result came inside the constructor";
    });
  }

  absl::StatusOr<ConnectedSocket> Connect(std::vector<SocketAddress> addresses, ConnectOptions options = {}) {
    Begin(std::move(addresses), std::move(options));
    if (!runner_.Await([this] { return result_.has_value(); })) return absl::InternalError("there was no result");
    return *std::exchange(result_, std::nullopt);
  }

  EpollLoop& loop_ = ThreadedRunner::SharedLoop(0);
  ThreadedRunner runner_;
  std::vector<base::UniqueFd> listeners_;
  std::unique_ptr<SocketConnector> connector_;
  std::optional<absl::StatusOr<ConnectedSocket>> result_;  // guarded by runner_.mutex()
};

TEST_F(SocketConnectorTest, Connects) {
  const SocketAddress address = Listening();
  const auto socket = Connect({address});
  ASSERT_EQ(socket.status(), absl::OkStatus());
  EXPECT_EQ(socket->peer.ToString(), address.ToString());
  EXPECT_EQ(SocketAddress::PeerOf(socket->fd.get()).ToString(), address.ToString());
}

TEST_F(SocketConnectorTest, TriesEachAddressInTurn) {
  const SocketAddress good = Listening();
  const auto socket = Connect({Refusing(), Refusing(), good, Listening()});
  ASSERT_EQ(socket.status(), absl::OkStatus());
  EXPECT_EQ(socket->peer.ToString(), good.ToString());
}

TEST_F(SocketConnectorTest, SaysWhatEachAddressAnswered) {
  const SocketAddress first = Refusing(), second = Refusing();
  const auto socket = Connect({first, second, ParseTarget("unix:/nonexistent/socket")->addresses.at(0)});
  EXPECT_EQ(socket.status(),
            absl::UnavailableError(absl::StrCat(
                "cannot connect to ", first.ToString(), ": Connection refused (ECONNREFUSED); ", second.ToString(),
                ": Connection refused (ECONNREFUSED); unix:/nonexistent/socket: No such file or directory (ENOENT)")));
}

TEST_F(SocketConnectorTest, ASilentAddressLeavesTimeForTheNext) {
  const SocketAddress good = Listening();
  const auto socket = Connect({Silent(), good}, {.timeout = absl::Milliseconds(100)});
  ASSERT_EQ(socket.status(), absl::OkStatus());
  EXPECT_EQ(socket->peer.ToString(), good.ToString());
}

TEST_F(SocketConnectorTest, GivesUpAfterTheTimeout) {
  const SocketAddress silent = Silent();
  const auto socket = Connect({silent}, {.timeout = absl::Milliseconds(50)});
  EXPECT_EQ(socket.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(socket.status().message()),
              ::testing::StartsWith(absl::StrCat("cannot connect to ", silent.ToString(), ": no answer in 49.")));
}

TEST_F(SocketConnectorTest, WithoutTimeNothingIsTried) {
  const SocketAddress address = Listening();
  const auto socket = Connect({address}, {.timeout = absl::ZeroDuration()});
  EXPECT_EQ(socket.status(),
            absl::UnavailableError(absl::StrCat("cannot connect to ", address.ToString(), ": no time left to try it")));
}

TEST_F(SocketConnectorTest, AnInfiniteTimeoutIsAllowed) {
  EXPECT_EQ(Connect({Listening()}, {.timeout = absl::InfiniteDuration()}).status(), absl::OkStatus());
}

TEST_F(SocketConnectorTest, DestructionCancels) {
  Begin({Silent()});
  RunOn(loop_, [this] { connector_.reset(); });
  Begin({Listening()});
  RunOn(loop_, [this] {
    connector_.reset();
    base::MutexLock lock(runner_.mutex());
    result_.reset();
  });
  RunOn(loop_, [] {});
  EXPECT_FALSE(result_);
}

TEST_F(SocketConnectorTest, TheCallbackMayDestroyTheConnector) {
  Event done;
  RunOn(loop_, [&] {
    connector_ = std::make_unique<SocketConnector>(loop_, std::vector{Refusing()}, ConnectOptions(),
                                                   [&](absl::StatusOr<ConnectedSocket> result) {
                                                     EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
                                                     connector_.reset();
                                                     done.Set();
                                                   });
  });
  done.Wait();
}

TEST_F(SocketConnectorTest, ASocketThatIsItsOwnPeerIsRecognized) {
  const SocketAddress address = Refusing();
  ASSERT_EQ(connect(listeners_.back().get(), address.get(), address.length()), 0) << "the kernel allows it";
  EXPECT_TRUE(IsConnectedToItself(listeners_.back().get()));
  const auto socket = Connect({Listening()});
  ASSERT_EQ(socket.status(), absl::OkStatus());
  EXPECT_FALSE(IsConnectedToItself(socket->fd.get()));
}

TEST_F(SocketConnectorTest, RefusedOptionsAreNamed) {
  const auto socket = Connect({Listening()}, {.timeout = absl::Seconds(5), .tcp = {.max_segment_bytes = 1}});
  EXPECT_EQ(socket.status(),
            absl::InvalidArgumentError("the system refused socket option TCP_MAXSEG = 1: Invalid argument (EINVAL)"));
}

TEST_F(SocketConnectorTest, ALackOfDescriptorsIsSaid) {
  if (!CanRunOutOfDescriptors()) GTEST_SKIP() << "UBSan needs descriptors of its own";
  const SocketAddress address = Listening();
  const NoFreeDescriptors none;
  EXPECT_EQ(Connect({address}).status(), absl::UnavailableError(absl::StrCat("cannot connect to ", address.ToString(),
                                                                             ": Too many open files (EMFILE)")));
}

}  // namespace
}  // namespace pagewire::transport::testing
