#include "payload/pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace pagewire::memory {
namespace {

constexpr uint64_t kMiB = 1 << 20;

PoolOptions Options(uint64_t max_idle_bytes = 64 * kMiB) {
  PoolOptions options;
  options.reserve_bytes = 1024 * kMiB;
  options.max_idle_bytes = max_idle_bytes;
  return options;
}

TEST(PoolTest, CapacityIsThePowerOfTwoBelow2MiBAndWholeSlabsFromThere) {
  Pool pool(Options());
  const std::pair<size_t, size_t> cases[] = {{0, 4096},
                                             {1, 4096},
                                             {4096, 4096},
                                             {4097, 8192},
                                             {65536, 65536},
                                             {65537, 131072},
                                             {kMiB / 2, kMiB / 2},
                                             {kMiB - 1, kMiB},
                                             {kMiB, kMiB},
                                             {kMiB + 1, 2 * kMiB},
                                             {2 * kMiB, 2 * kMiB},
                                             {2 * kMiB + 1, 4 * kMiB},
                                             {5 * kMiB, 6 * kMiB}};
  for (const auto& [bytes, capacity] : cases) {
    absl::StatusOr<Block> block = pool.TryAllocate(bytes);
    ASSERT_TRUE(block.ok()) << block.status();
    EXPECT_EQ(block->capacity(), capacity) << bytes;
    const size_t alignment = capacity >= 2 * kMiB ? 2 * kMiB : 4096;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block->data()) % alignment, 0u) << bytes;
    std::memset(block->data(), 0x5a, capacity);
  }
  EXPECT_EQ(pool.stats().in_use, 0u);
}

TEST(PoolTest, TheBlockFreedLastComesFirst) {
  Pool pool(Options());
  for (const size_t bytes : {size_t{4096}, size_t{65536}, size_t{kMiB}, size_t{8 * kMiB}}) {
    Block a = *pool.TryAllocate(bytes);
    Block b = *pool.TryAllocate(bytes);
    char* const freed_last = a.data();
    b = Block();
    a = Block();
    EXPECT_EQ(pool.TryAllocate(bytes)->data(), freed_last) << bytes;
  }
}

TEST(PoolTest, AMovedBlockIsReturnedOnce) {
  Pool pool(Options());
  Block a = *pool.TryAllocate(4096);
  char* const data = a.data();
  Block b = std::move(a);
  EXPECT_EQ(a.data(), nullptr);
  EXPECT_EQ(a.capacity(), 0u);
  EXPECT_EQ(b.data(), data);
  Block& same = b;
  b = std::move(same);
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(pool.stats().in_use, 4096u);
  b = *pool.TryAllocate(8192);
  EXPECT_EQ(pool.stats().in_use, 8192u);
}

TEST(PoolTest, BlocksOutliveThePool) {
  std::optional<Pool> pool(Options());
  Block small = *pool->TryAllocate(100);
  Block large = *pool->TryAllocate(3 * kMiB);
  pool.reset();
  std::memset(small.data(), 1, small.capacity());
  std::memset(large.data(), 1, large.capacity());
}

TEST(PoolTest, StatsAddUp) {
  Pool pool(Options());
  EXPECT_EQ(pool.stats().reserved, 1024 * kMiB);
  EXPECT_EQ(pool.stats().committed, 0u);
  {
    const Block a = *pool.TryAllocate(4096);
    const Block b = *pool.TryAllocate(3 * kMiB);
    EXPECT_EQ(pool.stats().in_use, 4096 + 4 * kMiB);
    EXPECT_EQ(pool.stats().idle, 0u);
  }
  EXPECT_EQ(pool.stats().in_use, 0u);
  EXPECT_EQ(pool.stats().idle, 4096 + 4 * kMiB);
  EXPECT_EQ(pool.stats().given_back, 0u);
  const Block c = *pool.TryAllocate(2 * kMiB);
  EXPECT_EQ(pool.stats().idle, 4096 + 2 * kMiB);
}

// Every block is filled with a value of its own and checked before it goes: two owners of one page would show.
class Tenant {
 public:
  Tenant(Pool& pool, size_t bytes, uint32_t mark) : block_(*pool.TryAllocate(bytes)), mark_(mark) {
    for (size_t at = 0; at < block_.capacity(); at += 4096) std::memcpy(block_.data() + at, &mark_, sizeof(mark_));
  }

  bool Intact() const {
    for (size_t at = 0; at < block_.capacity(); at += 4096) {
      if (std::memcmp(block_.data() + at, &mark_, sizeof(mark_)) != 0) return false;
    }
    return true;
  }

  size_t capacity() const { return block_.capacity(); }

 private:
  Block block_;
  uint32_t mark_;
};

void ComeAndGo(Pool& pool, uint32_t seed, int steps) {
  std::mt19937 random(seed);
  std::vector<Tenant> tenants;
  for (int step = 0; step < steps; ++step) {
    if (tenants.size() < 20 && random() % 2 == 0) {
      const size_t bytes = (size_t{1} << (10 + random() % 13)) + random() % 5000;
      tenants.emplace_back(pool, bytes, (seed << 16) + static_cast<uint32_t>(step));
    } else if (!tenants.empty()) {
      std::swap(tenants[random() % tenants.size()], tenants.back());
      ASSERT_TRUE(tenants.back().Intact());
      tenants.pop_back();
    }
  }
  for (const Tenant& tenant : tenants) ASSERT_TRUE(tenant.Intact());
}

TEST(PoolTest, BlocksNeverOverlap) {
  for (const uint64_t max_idle : {uint64_t{0}, kMiB, 64 * kMiB}) {
    Pool pool(Options(max_idle));
    ComeAndGo(pool, 1, 3000);
    EXPECT_EQ(pool.stats().in_use, 0u);
    EXPECT_LE(pool.stats().idle, max_idle);
  }
}

TEST(PoolTest, BlocksNeverOverlapAcrossThreads) {
  for (const uint64_t max_idle : {uint64_t{0}, 4 * kMiB}) {
    Pool pool(Options(max_idle));
    std::vector<std::thread> threads;
    for (uint32_t seed = 1; seed <= 4; ++seed) threads.emplace_back([&pool, seed] { ComeAndGo(pool, seed, 800); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(pool.stats().in_use, 0u);
    EXPECT_LE(pool.stats().idle, max_idle);
  }
}

TEST(PoolTest, DefaultPoolIsOne) {
  EXPECT_EQ(&Pool::Default(), &Pool::Default());
  EXPECT_TRUE(Pool::Default().TryAllocate(1).ok());
}

#if defined(__SANITIZE_ADDRESS__)
TEST(PoolDeathTest, UseAfterReleaseIsCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Pool pool(Options());
        char* data = nullptr;
        {
          const Block block = *pool.TryAllocate(4096);
          data = block.data();
          data[0] = 1;
        }
        volatile char read = data[0];
        static_cast<void>(read);
      },
      "use-after-poison");
}
#endif

}  // namespace
}  // namespace pagewire::memory
