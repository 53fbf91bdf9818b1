// Unary calls through a real server, over TCP on loopback and inside the process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <string>
#include <thread>
#include <vector>

#include "integration/blob_service.h"

namespace pagewire::test {
namespace {

using ::testing::HasSubstr;

class UnaryTest : public ::testing::TestWithParam<bool> {
 protected:
  void StartServer(ServerBuilder& builder) {
    builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::shared_ptr<Channel> MakeChannel(const ChannelOptions& options = ChannelOptions()) {
    if (GetParam()) return CreateInProcessChannel(*server_, options);
    return CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port_), InsecureChannelCredentials(), options);
  }

  void SetUp() override {
    ServerBuilder builder;
    StartServer(builder);
  }

  BlobService service_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

INSTANTIATE_TEST_SUITE_P(Transports, UnaryTest, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "InProcess" : "Tcp"; });

TEST_P(UnaryTest, Echo) {
  Blob::Stub stub(MakeChannel());
  ClientContext context;
  context.AddMetadata("color", "blue");
  BlobRequest request;
  request.set_name("hello");
  absl::StatusOr<BlobReply> reply = stub.Echo(context, request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->name(), "hello");
  EXPECT_EQ(context.GetServerInitialMetadata().find("served-by")->second, "blob");
  EXPECT_EQ(context.GetServerTrailingMetadata().find("echo-color")->second, "blue");
}

TEST_P(UnaryTest, PayloadsOfAwkwardSizesBothWays) {
  Blob::Stub stub(MakeChannel());
  for (uint64_t size : {0ull, 1ull, 4095ull, 4096ull, 4097ull, 65535ull, 65536ull, 1048575ull, 1048576ull, 1048577ull,
                        5000001ull, (32ull << 20) + 12345}) {
    BlobRequest request;
    request.set_size(size);
    request.set_seed(size + 7);
    ClientContext put_context;
    absl::StatusOr<BlobReply> put = stub.Put(put_context, request, MakePayload(size, 3));
    ASSERT_TRUE(put.ok()) << size << ": " << put.status();
    EXPECT_EQ(put->size(), size);
    EXPECT_EQ(put->hash(), ExpectedHash(size, 3)) << size;

    ClientContext get_context;
    absl::StatusOr<WithPayload<BlobReply>> got = stub.Get(get_context, request);
    ASSERT_TRUE(got.ok()) << size << ": " << got.status();
    EXPECT_EQ(got->payload.size(), size);
    EXPECT_EQ(HashOf(got->payload), ExpectedHash(size, size + 7)) << size;

    ClientContext swap_context;
    absl::StatusOr<WithPayload<BlobReply>> swapped = stub.Swap(swap_context, request, MakePayload(size, 9));
    ASSERT_TRUE(swapped.ok()) << size << ": " << swapped.status();
    EXPECT_EQ(HashOf(swapped->payload), ExpectedHash(size, 9)) << size;
    const CallTransferReport& report = swap_context.transfer_report();
    EXPECT_EQ(report.sent.payload_bytes, size);
    EXPECT_EQ(report.received.payload_bytes, size);
    EXPECT_EQ(report.sent.copied(CopyReason::kTail), size % 4096);
    EXPECT_EQ(report.sent.copied(CopyReason::kSameHostCopy), size - size % 4096);
  }
}

}  // namespace
}  // namespace pagewire::test
