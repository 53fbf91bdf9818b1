#include "transport/socket_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <limits>

#include "base/unique_fd.h"
#include "transport/loop_testing.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SocketOptionsTest : public ::testing::Test {
 protected:
  int Get(int level, int name) {
    int value = -1;
    socklen_t length = sizeof(value);
    EXPECT_EQ(getsockopt(fd_.get(), level, name, &value, &length), 0);
    return value;
  }

  const base::UniqueFd fd_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_F(SocketOptionsTest, TheDefaultsLeaveBuffersToTheKernel) {
  const int receive = Get(SOL_SOCKET, SO_RCVBUF), send = Get(SOL_SOCKET, SO_SNDBUF);
  ASSERT_EQ(ApplyTcpOptions(fd_.get(), {}), absl::OkStatus());
  EXPECT_NE(Get(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_NOTSENT_LOWAT), 512 * 1024);
  EXPECT_EQ(Get(SOL_SOCKET, SO_RCVBUF), receive);
  EXPECT_EQ(Get(SOL_SOCKET, SO_SNDBUF), send);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

TEST_F(SocketOptionsTest, EverythingAskedForIsSet) {
  ASSERT_EQ(ApplyTcpOptions(fd_.get(), {.receive_buffer_bytes = 30'000,
                                        .send_buffer_bytes = 40'000,
                                        .unsent_bytes = 50'000,
                                        .congestion_control = "reno",
                                        .max_segment_bytes = 4108,
                                        .user_timeout = absl::Milliseconds(1500) + absl::Nanoseconds(1)}),
            absl::OkStatus());
  EXPECT_EQ(Get(SOL_SOCKET, SO_RCVBUF), 2 * 30'000);  // the kernel doubles them
  EXPECT_EQ(Get(SOL_SOCKET, SO_SNDBUF), 2 * 40'000);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_NOTSENT_LOWAT), 50'000);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_MAXSEG), 4108);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_USER_TIMEOUT), 1501);
  char name[16] = {};
  socklen_t length = sizeof(name);
  ASSERT_EQ(getsockopt(fd_.get(), IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
  EXPECT_STREQ(name, "reno");
}

TEST_F(SocketOptionsTest, ACongestionControlThatIsNotThereIsLoggedOnce) {
  const CapturedLog log;
  const TcpOptions options = {.congestion_control = "no-such"};
  EXPECT_EQ(ApplyTcpOptions(fd_.get(), options), absl::OkStatus());
  EXPECT_EQ(ApplyTcpOptions(fd_.get(), options), absl::OkStatus());
  EXPECT_THAT(log.lines(),
              ElementsAre("the system refused socket option TCP_CONGESTION = no-such: No such file or directory "
                          "(ENOENT); going on without it"));
}

TEST_F(SocketOptionsTest, ASegmentSizeOutOfRangeIsAnError) {
  for (const int bytes : {1, 87, 32'768}) {
    EXPECT_EQ(ApplyTcpOptions(fd_.get(), {.max_segment_bytes = bytes}),
              absl::InvalidArgumentError("the system refused socket option TCP_MAXSEG = " + std::to_string(bytes) +
                                         ": Invalid argument (EINVAL)"));
  }
}

TEST_F(SocketOptionsTest, HugeSizesAreBoundedNotWrapped) {
  const size_t huge = std::numeric_limits<size_t>::max();
  EXPECT_EQ(ApplyTcpOptions(fd_.get(), {.receive_buffer_bytes = huge, .send_buffer_bytes = huge, .unsent_bytes = huge}),
            absl::OkStatus());
  EXPECT_GT(Get(SOL_SOCKET, SO_RCVBUF), 65'536);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_NOTSENT_LOWAT), std::numeric_limits<int>::max());
}

TEST_F(SocketOptionsTest, UnixSocketsHaveNone) {
  const CapturedLog log;
  const base::UniqueFd local(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(ApplyTcpOptions(local.get(), {.max_segment_bytes = 1}), absl::OkStatus());
  EXPECT_THAT(log.lines(), IsEmpty());
}

TEST_F(SocketOptionsTest, WhatIsNoSocketIsAnError) {
  EXPECT_EQ(ApplyTcpOptions(STDERR_FILENO, {}),
            absl::InvalidArgumentError("the system refused socket option TCP_NODELAY = 1: Socket operation on "
                                       "non-socket (ENOTSOCK)"));
}

}  // namespace
}  // namespace pagewire::transport::testing
