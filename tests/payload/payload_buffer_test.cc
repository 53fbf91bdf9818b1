#include <gtest/gtest.h>
#include <pagewire/payload_buffer.h>

#include <cstring>
#include <utility>

#include "payload/pool.h"

namespace pagewire {
namespace {

TEST(PayloadBufferTest, FreezesToExactlyItsSize) {
  for (const size_t size : {size_t{1}, size_t{4095}, size_t{4096}, size_t{4097}, size_t{3} << 20}) {
    PayloadBuffer buffer = PayloadBuffer::Allocate(size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 4096, 0u);
    std::memset(buffer.data(), 'b', size);
    char* const data = buffer.data();
    const Payload payload = std::move(buffer).Freeze();
    EXPECT_EQ(payload.size(), size);
    ASSERT_EQ(payload.spans().size(), 1u);
    EXPECT_EQ(payload.spans()[0].data(), data) << "not copied";
    EXPECT_EQ(payload.spans()[0].back(), 'b');
    EXPECT_EQ(buffer.size(), 0u);
    EXPECT_EQ(buffer.data(), nullptr);
  }
}

TEST(PayloadBufferTest, ZeroBytesAreValid) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(0);
  EXPECT_NE(buffer.data(), nullptr);
  EXPECT_EQ(buffer.size(), 0u);
  EXPECT_EQ(std::move(buffer).Freeze().size(), 0u);
}

TEST(PayloadBufferTest, MovesLeaveNothingBehind) {
  PayloadBuffer a = PayloadBuffer::Allocate(10);
  char* const data = a.data();
  PayloadBuffer b = std::move(a);
  EXPECT_EQ(a.data(), nullptr);
  EXPECT_EQ(a.size(), 0u);
  EXPECT_EQ(b.data(), data);
  PayloadBuffer& same = b;
  b = std::move(same);
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(std::move(a).Freeze().size(), 0u);
}

TEST(PayloadBufferTest, MemoryGoesBackWithTheLastHandle) {
  const uint64_t before = memory::Pool::Default().stats().in_use;
  {
    const PayloadBuffer unfrozen = PayloadBuffer::Allocate(4096);
    PayloadBuffer buffer = PayloadBuffer::Allocate(4096);
    buffer.data()[0] = 'x';
    Payload slice;
    {
      const Payload payload = std::move(buffer).Freeze();
      slice = payload.Slice(0, 1);
    }
    EXPECT_EQ(memory::Pool::Default().stats().in_use, before + 8192);
    EXPECT_EQ(slice.spans()[0][0], 'x');
  }
  EXPECT_EQ(memory::Pool::Default().stats().in_use, before);
}

}  // namespace
}  // namespace pagewire
