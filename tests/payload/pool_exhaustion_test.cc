#include <gtest/gtest.h>
#include <pagewire/payload_buffer.h>
#include <sys/resource.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "payload/address_range.h"
#include "payload/pool.h"

namespace pagewire::memory {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(PoolExhaustionTest, AddressesEndWithAMessageAndComeBack) {
  PoolOptions options;
  options.reserve_bytes = 32 * kMiB;
  Pool pool(options);
  std::vector<Block> blocks;
  absl::StatusOr<Block> block = pool.TryAllocate(2 * kMiB);
  while (block.ok()) {
    blocks.push_back(*std::move(block));
    block = pool.TryAllocate(2 * kMiB);
  }
  EXPECT_EQ(blocks.size(), 8u);
  EXPECT_EQ(block.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(
      block.status().message(),
      "cannot allocate 2097152 bytes: the pool's 16777216 bytes of addresses for blocks of this kind have no room "
      "for it; release payloads, or raise the limit on address space (ulimit -v) if there is one");
  EXPECT_TRUE(pool.TryAllocate(4096).ok()) << "small blocks have addresses of their own";
  EXPECT_FALSE(pool.TryAllocate(kMiB).ok());
  blocks.pop_back();
  EXPECT_TRUE(pool.TryAllocate(kMiB).ok());
  blocks.clear();
  EXPECT_TRUE(pool.TryAllocate(16 * kMiB).ok()) << "the slab that was cut in between is whole again";
  EXPECT_EQ(pool.TryAllocate(16 * kMiB + 1).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(PoolExhaustionTest, AbsurdSizesAreRefused) {
  Pool pool;
  for (const size_t bytes : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, SIZE_MAX - 2 * kMiB}) {
    EXPECT_EQ(pool.TryAllocate(bytes).status().code(), absl::StatusCode::kResourceExhausted) << bytes;
  }
}

// A limit cannot be taken back by everybody, so these run in processes of their own. The sanitizers need the addresses.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

[[noreturn]] void EndUnless(bool expected, const std::string& found) {
  std::cerr << found << std::endl;
  std::_Exit(expected ? 0 : 1);
}

void Limit(__rlimit_resource resource, uint64_t bytes) {
  const rlimit limit = {bytes, bytes};
  setrlimit(resource, &limit);
}

TEST(PoolExhaustionDeathTest, AKernelThatRefusesAddressesGetsASmallerPool) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Limit(RLIMIT_AS, 1024 * kMiB);
        Pool pool;
        const bool allocated = pool.TryAllocate(64 * kMiB).ok();
        EndUnless(allocated && pool.stats().reserved < 1024 * kMiB, "reserved less");
      },
      ::testing::ExitedWithCode(0), "reserved less");
}

TEST(PoolExhaustionDeathTest, AKernelThatRefusesMemoryIsNamed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Pool pool;
        Limit(RLIMIT_DATA, 100 * kMiB);
        const absl::Status refused = pool.TryAllocate(200 * kMiB).status();
        EndUnless(refused.code() == absl::StatusCode::kResourceExhausted && pool.TryAllocate(4096).ok(),
                  std::string(refused.message()));
      },
      ::testing::ExitedWithCode(0),
      "cannot allocate 209715200 bytes: the kernel refused 268435456 bytes of memory for the pool, which has 0: Cannot "
      "allocate memory; release payloads, or raise the limit on memory");
}

#endif

TEST(PoolExhaustionDeathTest, ABufferThatCannotBeAllocatedEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EQ(PayloadBuffer::TryAllocate(SIZE_MAX).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_DEATH(PayloadBuffer::Allocate(SIZE_MAX), "cannot allocate 18446744073709551615 bytes: the pool's");
}

}  // namespace
}  // namespace pagewire::memory
