#include "payload/payload_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "payload/budget.h"
#include "payload/pool.h"

namespace pagewire::memory {
namespace {

class PayloadBuilderTest : public ::testing::Test {
 protected:
  static PoolOptions SmallPool() {
    PoolOptions options;
    options.reserve_bytes = 64 << 20;
    return options;
  }

  void Append(char fill, size_t used) {
    Block block = *pool_.TryAllocate(used);
    std::memset(block.data(), fill, used);
    builder_.Append(std::move(block), used);
  }

  static std::string Text(const Payload& payload) {
    std::string text(payload.size(), '\0');
    payload.CopyTo(absl::MakeSpan(text));
    return text;
  }

  Pool pool_{SmallPool()};
  Budget budget_{"process", 1 << 20, "raise it"};
  PayloadBuilder builder_;
};

TEST_F(PayloadBuilderTest, PiecesInOrder) {
  const auto owner = std::make_shared<const std::string>("mapped");
  Append('a', 5000);
  builder_.AppendMapped(absl::MakeConstSpan(*owner), owner);
  Append('b', 3);
  EXPECT_EQ(builder_.size(), 5009u);
  const Payload payload = std::move(builder_).Build();
  EXPECT_EQ(Text(payload), std::string(5000, 'a') + "mapped" + "bbb");
  EXPECT_EQ(payload.spans().size(), 3u);
  EXPECT_EQ(payload.spans()[1].data(), owner->data());
  EXPECT_EQ(owner.use_count(), 2);
}

TEST_F(PayloadBuilderTest, EmptyPiecesAreNotKept) {
  Append('a', 0);
  const auto owner = std::make_shared<const int>();
  builder_.AppendMapped({}, owner);
  EXPECT_EQ(pool_.stats().in_use, 0u);
  EXPECT_EQ(owner.use_count(), 1);
  EXPECT_EQ(std::move(builder_).Build().size(), 0u);
}

TEST_F(PayloadBuilderTest, TheChargeFollowsTheBlocksThatStay) {
  Append('a', 8192);
  Append('b', 4096);
  Append('c', 100);
  builder_.Attach(*budget_.TryReserve(12388, "/pkg.Service/Method"));
  Payload payload = std::move(builder_).Build();
  EXPECT_EQ(budget_.reserved(), 12388u);
  Payload slice = payload.Slice(8192 + 10, 1);
  const Payload copy = slice;
  payload = Payload();
  EXPECT_EQ(budget_.reserved(), 4096u) << "one byte keeps its block";
  EXPECT_EQ(pool_.stats().in_use, 4096u);
  slice = Payload();
  EXPECT_EQ(budget_.reserved(), 4096u);
}

TEST_F(PayloadBuilderTest, AReservationThatDoesNotMatchIsGivenBackInFull) {
  Append('a', 100);
  Append('b', 100);
  builder_.Attach(*budget_.TryReserve(500, "x"));
  builder_.Attach(*budget_.TryReserve(50, "x"));
  Payload payload = std::move(builder_).Build();
  EXPECT_EQ(budget_.reserved(), 550u);
  payload = payload.Slice(100, 100);
  EXPECT_EQ(budget_.reserved(), 450u) << "the last piece carries the rest";
  payload = Payload();
  EXPECT_EQ(budget_.reserved(), 0u);

  Append('a', 100);
  Append('b', 100);
  builder_.Attach(*budget_.TryReserve(120, "x"));
  payload = std::move(builder_).Build();
  payload = payload.Slice(100, 100);
  EXPECT_EQ(budget_.reserved(), 20u);
  payload = Payload();
  EXPECT_EQ(budget_.reserved(), 0u);
}

TEST_F(PayloadBuilderTest, ReleaseIsToldOnceAfterMemoryAndCharge) {
  int released = 0;
  Append('a', 4096);
  Append('b', 4096);
  builder_.Attach(*budget_.TryReserve(8192, "x"));
  builder_.OnReleased([&] {
    ++released;
    EXPECT_EQ(budget_.reserved(), 0u);
    EXPECT_EQ(pool_.stats().in_use, 0u);
  });
  Payload payload = std::move(builder_).Build();
  Payload head = payload.Slice(0, 1);
  Payload tail = payload.Slice(8191, 1);
  payload = Payload();
  head = Payload();
  EXPECT_EQ(released, 0);
  tail = Payload();
  EXPECT_EQ(released, 1);
}

TEST_F(PayloadBuilderTest, ReleaseOfNothingIsToldInsideBuild) {
  int released = 0;
  builder_.OnReleased([&] { ++released; });
  builder_.Attach(*budget_.TryReserve(10, "x"));
  const Payload payload = std::move(builder_).Build();
  EXPECT_EQ(released, 1);
  EXPECT_EQ(budget_.reserved(), 0u);
}

TEST_F(PayloadBuilderTest, AnAbandonedBuilderDropsEverything) {
  int released = 0;
  Append('a', 4096);
  builder_.Attach(*budget_.TryReserve(4096, "x"));
  builder_.OnReleased([&] { ++released; });
  builder_ = PayloadBuilder();
  EXPECT_EQ(released, 1);
  EXPECT_EQ(budget_.reserved(), 0u);
  EXPECT_EQ(pool_.stats().in_use, 0u);
}

TEST_F(PayloadBuilderTest, ABuilderCanBuildAgain) {
  Append('a', 3);
  EXPECT_EQ(Text(std::move(builder_).Build()), "aaa");
  Append('b', 2);
  EXPECT_EQ(Text(std::move(builder_).Build()), "bb");
}

TEST_F(PayloadBuilderTest, PayloadsOutliveTheirPool) {
  std::optional<Pool> pool(SmallPool());
  Block block = *pool->TryAllocate(5);
  std::memcpy(block.data(), "alive", 5);
  builder_.Append(std::move(block), 5);
  const Payload payload = std::move(builder_).Build();
  pool.reset();
  EXPECT_EQ(Text(payload), "alive");
}

TEST_F(PayloadBuilderTest, ADroppedPayloadLetsTheNextInLineIn) {
  budget_.SetLimit(100);
  Append('a', 100);
  builder_.Attach(*budget_.TryReserve(100, "x"));
  Payload payload = std::move(builder_).Build();
  bool granted = false;
  const auto ticket = budget_.Reserve(100, "y", [&](Reservation) { granted = true; });
  EXPECT_FALSE(granted);
  payload = Payload();
  EXPECT_TRUE(granted);
}

}  // namespace
}  // namespace pagewire::memory
