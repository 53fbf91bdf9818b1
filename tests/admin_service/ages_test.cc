// How old calls are, and how long connections have been idle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "admin_service/admin_client.h"
#include "admin_service/deaf_service.h"
#include "base/latch.h"

namespace pagewire::admin_service {
namespace {

using test::BlobRequest;
using ::testing::SizeIs;

constexpr admin::v1::Side kServer = admin::v1::SIDE_SERVER;

class AgesTest : public AdminTest {};

TEST_F(AgesTest, AHandlerWhoseClientGaveUpIsAsOldAsItIs) {
  DeafService deaf;
  ServerBuilder builder;
  builder.RegisterService(&deaf);
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  test::Blob::Stub stub(CreateInProcessChannel(**server));
  ClientContext context;
  testing::Latch ended;
  stub.Callback().Echo(context, BlobRequest(), [&](auto) { ended.CountDown(); });
  Await([&] {
    const auto calls = admin_.CallsOf("Echo", kServer);
    return calls.size() == 1 && calls[0].age_ms() >= 100;
  });
  context.TryCancel();
  ended.Wait();
  Await([&] { return admin_.CallsOf("Echo", kServer).at(0).phase() == Call::PHASE_ENDED; });
  const Call call = admin_.CallsOf("Echo", kServer).at(0);
  EXPECT_GE(call.age_ms(), 100u) << call.DebugString();
  admin::v1::ListCallsRequest old;
  old.set_connection(call.connection());
  old.set_min_age_ms(100);
  EXPECT_THAT(admin_.Calls(old), SizeIs(1)) << "the oldest is the one that is looked for";
  deaf.released.CountDown();
}

TEST_F(AgesTest, WithoutAStreamNothingIsIdle) {
  ListenNowhere();
  test::Blob::Stub stub(CreateCustomChannel(target(), InsecureChannelCredentials(), RetriesInAnHour()));
  ClientContext context;
  testing::Latch ended;
  stub.Callback().Echo(context, BlobRequest(), [&](auto) { ended.CountDown(); });
  std::vector<Connection> lanes;
  Await([&] {
    lanes = admin_.Connections();
    std::erase_if(lanes, [&](const Connection& connection) {
      return connection.target() != target() || connection.state() != Connection::STATE_TRANSIENT_FAILURE;
    });
    return lanes.size() == 1;
  });
  EXPECT_FALSE(lanes[0].has_idle_ms()) << "idle for " << lanes[0].idle_ms() << " ms";
  context.TryCancel();
  ended.Wait();
}

}  // namespace
}  // namespace pagewire::admin_service
