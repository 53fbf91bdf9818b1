#include "transport/segment_size.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "transport/system_setting.h"

namespace pagewire::transport::testing {
namespace {

TEST(SegmentSizeTest, AsManyPagesAsFit) {
  EXPECT_EQ(SegmentBytesFor(1500, AF_INET, true), 0);
  EXPECT_EQ(SegmentBytesFor(4147, AF_INET, true), 0);
  EXPECT_EQ(SegmentBytesFor(4148, AF_INET, true), 4108);
  EXPECT_EQ(SegmentBytesFor(4148, AF_INET6, true), 0);
  EXPECT_EQ(SegmentBytesFor(4167, AF_INET6, true), 0);
  EXPECT_EQ(SegmentBytesFor(4168, AF_INET6, true), 4108);
  EXPECT_EQ(SegmentBytesFor(9000, AF_INET, true), 8204);
  EXPECT_EQ(SegmentBytesFor(9000, AF_INET6, true), 8204);
  EXPECT_EQ(SegmentBytesFor(65535, AF_INET, true), 28684) << "bounded by the kernel";
  EXPECT_EQ(SegmentBytesFor(65536, AF_INET6, false), 28672);
  EXPECT_EQ(SegmentBytesFor(4136, AF_INET, false), 4096);
  EXPECT_EQ(SegmentBytesFor(4135, AF_INET, false), 0);
  EXPECT_EQ(SegmentBytesFor(0, AF_INET, true), 0) << "an unknown MTU";
}

TEST(SegmentSizeTest, TheLoopbacksMtu) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(9);
  EXPECT_GT(PathMtu(SocketAddress(reinterpret_cast<sockaddr*>(&address), sizeof(address))), 4096);
}

TEST(SegmentSizeTest, NoRouteIsNoMtu) { EXPECT_EQ(PathMtu(SocketAddress()), 0); }

TEST(SegmentSizeTest, NotAConnection) {
  const base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(QuerySegments(fd.get()).status().code(), absl::StatusCode::kUnavailable);
}

TEST(SystemSettingTest, NumbersAreReadAndTheRestIsNothing) {
  EXPECT_GT(ReadSystemSetting("kernel/pid_max").value_or(0), 0);
  EXPECT_EQ(ReadSystemSetting("no/such/setting"), std::nullopt);
  EXPECT_EQ(ReadSystemSetting("kernel/ostype"), std::nullopt) << "no number";
}

}  // namespace
}  // namespace pagewire::transport::testing
