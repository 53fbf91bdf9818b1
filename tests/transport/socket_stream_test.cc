// What is special about sockets; byte_stream_conformance_test has what they share with all other streams.
#include "transport/socket_stream.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "transport/loop_testing.h"
#include "transport/runner.h"
#include "transport/socket_listener.h"
#include "transport/stream_end.h"
#include "transport/stream_kinds.h"

namespace pagewire::transport::testing {
namespace {

class SocketStreamTest : public ::testing::Test {
 protected:
  // A stream whose other end is a plain, blocking socket.
  void ConnectRaw(const TcpOptions& options = {}) {
    const SocketAddress any = Ipv4Loopback();
    const base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(bind(listener.get(), any.get(), any.length()), 0);
    ASSERT_EQ(listen(listener.get(), 1), 0);
    const SocketAddress address = SocketAddress::LocalOf(listener.get());
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(ApplyTcpOptions(fd.get(), options), absl::OkStatus());
    ASSERT_EQ(connect(fd.get(), address.get(), address.length()), 0);
    fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    raw_.Reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    peer_ = address.ToString();
    end_ = std::make_unique<StreamEnd>(
        runner_, 0, std::make_unique<SocketStream>(ConnectedSocket{std::move(fd), address}, runner_.SharedLoop(0)));
    end_->Start();
  }

  ThreadedRunner runner_;
  base::UniqueFd raw_;
  std::string peer_;
  std::unique_ptr<StreamEnd> end_;
};

TEST_F(SocketStreamTest, AResetIsNamedWithThePeer) {
  ConnectRaw();
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(setsockopt(raw_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
  raw_.Reset();
  EXPECT_EQ(end_->ReadAll(), "");
  const auto error = absl::UnavailableError(
      absl::StrCat("connection to ", peer_, " failed: read: Connection reset by peer (ECONNRESET)"));
  EXPECT_EQ(end_->last().error, error);
  EXPECT_EQ(end_->WriteUntilFailure().error, error) << "once Read failed, both do";
}

TEST_F(SocketStreamTest, NothingIsPacedBetweenEndsOfOneHost) {
  ConnectRaw({.congestion_control = "reno"});
  char name[16] = {};
  socklen_t length = sizeof(name);
  ASSERT_EQ(getsockopt(end_->stream().fd(), IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
  EXPECT_STREQ(name, "cubic");
}

TEST_F(SocketStreamTest, AbortSendsAReset) {
  ConnectRaw();
  end_->Abort();
  char byte;
  EXPECT_EQ(recv(raw_.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(SocketStreamTest, UnsentBytesAreBounded) {
  constexpr size_t kUnsent = 100'000;
  // The kernel asks before it begins another segment, which takes up to 64 KiB.
  constexpr size_t kSegment = 65'536;
  ConnectRaw({.unsent_bytes = kUnsent});
  const std::string piece(1 << 20, 'x');
  const iovec from = Over(piece);
  IoResult result;
  do {
    result = end_->TryWrite({&from, 1});
  } while (result.state == IoState::kOk);
  EXPECT_EQ(result.state, IoState::kBlocked);
  int unsent = -1;
  EXPECT_EQ(ioctl(end_->stream().fd(), SIOCOUTQNSD, &unsent), 0);
  EXPECT_LE(unsent, static_cast<int>(kUnsent + kSegment));
}

TEST_F(SocketStreamTest, ThousandsOfSpansAreWrittenByOneCall) {
  ConnectRaw();
  const std::string text(5000, 'x');
  std::vector<iovec> from;
  for (size_t i = 0; i < text.size(); ++i) from.push_back(Over(std::string_view(text).substr(i, 1)));
  const IoResult result = end_->TryWrite(from, {.end_of_record = true});
  EXPECT_EQ(result.state, IoState::kOk);
  EXPECT_EQ(result.bytes, text.size());
  std::string out(text.size(), '\0');
  EXPECT_EQ(recv(raw_.get(), out.data(), out.size(), MSG_WAITALL), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(out, text);
}

TEST_F(SocketStreamTest, BytesThatCannotBeReadAreAnError) {
  ConnectRaw();
  const iovec nowhere = {reinterpret_cast<void*>(1), 10};
  EXPECT_EQ(end_->TryWrite({&nowhere, 1}).error,
            absl::UnavailableError(absl::StrCat("connection to ", peer_, " failed: write: Bad address (EFAULT)")));
}

TEST_F(SocketStreamTest, AShortReadSaysThatThereIsNoMore) {
  ConnectRaw();
  std::string room(100, '\0');
  const iovec all = Over(room), three = Over(std::string_view(room).substr(0, 3));
  ASSERT_EQ(send(raw_.get(), "abcdef", 6, 0), 6);
  std::optional<IoResult> result = end_->Read({&three, 1});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->bytes, 3u);
  EXPECT_FALSE(result->drained);
  result = end_->Read({&all, 1});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->bytes, 3u);
  EXPECT_TRUE(result->drained);
}

// Reported together with bytes, an end is reported once: who waits after the bytes would wait for ever.
TEST_F(SocketStreamTest, NoEndIsMissedByWhoWaitsWhenThereIsNoMore) {
  for (int i = 0; i < 20; ++i) {
    ConnectRaw();
    end_->Run([this] {
      EXPECT_EQ(send(raw_.get(), "abc", 3, 0), 3);
      EXPECT_EQ(shutdown(raw_.get(), SHUT_WR), 0);
    });
    ASSERT_TRUE(end_->AwaitReadable());
    std::string room(100, '\0');
    const iovec into = Over(room);
    for (IoResult result; result.state != IoState::kEnd;) {
      result = end_->TryRead({&into, 1});
      ASSERT_NE(result.state, IoState::kFailed) << result.error;
      if (result.state == IoState::kBlocked || result.drained) {
        ASSERT_TRUE(end_->AwaitReadable());
      }
    }
  }
}

TEST_F(SocketStreamTest, ADescriptorThatCannotBeWatchedFails) {
  base::UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  StreamEnd end(
      runner_, 0,
      std::make_unique<SocketStream>(ConnectedSocket{std::move(file), Ipv4Loopback()}, runner_.SharedLoop(0)));
  end.Start();
  EXPECT_TRUE(end.AwaitReadable()) << "it is told to look";
  const auto error = absl::UnavailableError(
      "connection to ipv4:127.0.0.1:0 failed: the event loop cannot watch another descriptor: epoll_ctl: Operation not "
      "permitted (EPERM)");
  EXPECT_EQ(end.WriteUntilFailure().error, error);
  EXPECT_EQ(end.ReadAll(), "");
  EXPECT_EQ(end.last().error, error);
}

TEST_F(SocketStreamTest, BothEndsOfAUnixSocketNameItsFile) {
  const SocketAddress address = NewUnixAddress();
  const StreamPair pair = ConnectSockets(runner_, address);
  EXPECT_EQ(pair.first->peer(), address.ToString());
  EXPECT_EQ(pair.second->peer(), address.ToString());
}

TEST_F(SocketStreamTest, MayBeDestroyedAnywhereWhenItWasNotStarted) {
  const StreamPair pair = ConnectSockets(runner_, Ipv4Loopback());
  EXPECT_GE(pair.first->fd(), 0);
}

TEST(SocketStream, MayBeDestroyedAnywhereOnceItsLoopHasStopped) {
  auto loop = *EpollLoop::Create();
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  const base::UniqueFd other(fds[1]);
  struct Ignore final : ByteStream::Observer {
    void OnReadable() override {}
    void OnWritable() override {}
  } observer;
  auto stream = std::make_unique<SocketStream>(ConnectedSocket{base::UniqueFd(fds[0]), {}}, *loop);
  RunOn(*loop, [&] { stream->Start(&observer); });
  loop->Stop();
  stream.reset();
  char byte;
  EXPECT_EQ(recv(other.get(), &byte, 1, 0), 0);
}

}  // namespace
}  // namespace pagewire::transport::testing
