// What the pool does to the process's mappings and resident pages, as the kernel sees it.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "payload/memory_probe.h"
#include "payload/pool.h"

namespace pagewire::memory {
namespace {

using testing::CountMappings;
using testing::ResidentPages;
using testing::WantsHugePages;

constexpr uint64_t kMiB = 1 << 20;

PoolOptions Options(uint64_t max_idle_bytes) {
  PoolOptions options;
  options.reserve_bytes = 1024 * kMiB;
  options.max_idle_bytes = max_idle_bytes;
  return options;
}

Block Touched(Pool& pool, size_t bytes) {
  Block block = *pool.TryAllocate(bytes);
  std::memset(block.data(), 1, block.capacity());
  return block;
}

TEST(PoolMemoryTest, MemoryBelowTheCapStaysResident) {
  Pool pool(Options(64 * kMiB));
  char* data = nullptr;
  {
    const Block block = Touched(pool, 8 * kMiB);
    data = block.data();
  }
  EXPECT_EQ(ResidentPages(data, 8 * kMiB), 2048u);
}

TEST(PoolMemoryTest, IdleMemoryBeyondTheCapIsGivenBack) {
  Pool pool(Options(2 * kMiB));
  char* data = nullptr;
  {
    const Block block = Touched(pool, 8 * kMiB);
    data = block.data();
    EXPECT_EQ(ResidentPages(data, 8 * kMiB), 2048u);
  }
  EXPECT_EQ(pool.stats().idle, 2 * kMiB);
  EXPECT_EQ(pool.stats().given_back, 6 * kMiB);
  EXPECT_EQ(ResidentPages(data, 8 * kMiB), 512u);
  EXPECT_EQ(ResidentPages(data, 2 * kMiB), 512u) << "the next block begins there";

  const Block again = Touched(pool, 8 * kMiB);
  EXPECT_EQ(again.data(), data) << "the addresses stay with the pool";
}

TEST(PoolMemoryTest, TheColdestSlabsGoFirst) {
  Pool pool(Options(kMiB));
  Block cold = Touched(pool, 64 << 10);
  char* const cold_data = cold.data();
  Block hot = Touched(pool, kMiB);
  char* const hot_data = hot.data();
  cold = Block();
  hot = Block();
  EXPECT_EQ(ResidentPages(cold_data, 64 << 10), 0u);
  EXPECT_EQ(ResidentPages(hot_data, kMiB), 256u);
  EXPECT_EQ(pool.stats().idle, kMiB);
}

TEST(PoolMemoryTest, NeighboursInUseKeepTheirPages) {
  Pool pool(Options(0));
  std::vector<Block> blocks;
  for (int i = 0; i < 16; ++i) blocks.push_back(Touched(pool, 4096));
  std::vector<char*> freed;
  for (int i = 0; i < 16; i += 2) {
    freed.push_back(blocks[i].data());
    blocks[i] = Block();
  }
  for (char* data : freed) EXPECT_EQ(ResidentPages(data, 4096), 0u);
  for (int i = 1; i < 16; i += 2) EXPECT_EQ(blocks[i].data()[4095], 1);
  EXPECT_EQ(pool.stats().idle, 0u);
  EXPECT_EQ(pool.stats().given_back, 8u * 4096);
}

TEST(PoolMemoryTest, LargeBlocksUseHugePagesAndSmallOnesDoNot) {
  Pool pool(Options(0));
  const Block small = Touched(pool, 4096);
  const Block large = Touched(pool, 8 * kMiB);
  const Block received = Touched(pool, kMiB);
  EXPECT_FALSE(WantsHugePages(small.data()));
  EXPECT_TRUE(WantsHugePages(large.data()));
  EXPECT_TRUE(WantsHugePages(received.data()));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large.data()) % (2 * kMiB), 0u);
}

TEST(PoolMemoryTest, NoNewMappingsOnceItIsWarm) {
  Pool pool(Options(16 * kMiB));
  std::mt19937 random(7);
  size_t warm = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < 30; ++i) blocks.push_back(Touched(pool, random() % (4 * kMiB)));
    if (round == 10) warm = CountMappings();
  }
  // The sanitizers' own bookkeeping may add a mapping or two; a mapping per block would be thousands.
  EXPECT_LE(CountMappings(), warm + 4);
}

TEST(PoolMemoryTest, SlabsOfOneSizeServeAnother) {
  Pool pool(Options(64 * kMiB));
  for (size_t bytes = 4096; bytes <= 256 << 10; bytes *= 2) {
    std::vector<Block> blocks;
    for (size_t sum = 0; sum < 32 * kMiB; sum += bytes) blocks.push_back(Touched(pool, bytes));
  }
  EXPECT_LE(pool.stats().committed, 64 * kMiB) << "each size would have taken 32 MiB of its own";
}

}  // namespace
}  // namespace pagewire::memory
