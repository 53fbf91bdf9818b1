// One payload, many threads: for ThreadSanitizer, and for counts that must come out right.
#include <gtest/gtest.h>
#include <pagewire/payload.h>
#include <pagewire/payload_buffer.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "base/latch.h"

namespace pagewire {
namespace {

template <typename Work>
void InThreads(int count, Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, static_cast<uint32_t>(i));
  for (std::thread& thread : threads) thread.join();
}

char Expected(uint64_t offset) { return static_cast<char>(offset * 7 + offset / 4096); }

void Check(const Payload& slice, uint64_t offset) {
  for (absl::Span<const char> span : slice.spans()) {
    ASSERT_EQ(span.front(), Expected(offset));
    ASSERT_EQ(span.back(), Expected(offset + span.size() - 1));
    offset += span.size();
  }
}

Payload Filled(size_t size) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(size);
  for (size_t i = 0; i < size; ++i) buffer.data()[i] = Expected(i);
  return std::move(buffer).Freeze();
}

TEST(PayloadThreadsTest, CopiesSlicesAndDropsOfOnePayload) {
  for (int round = 0; round < 20; ++round) {
    const Payload payload = Filled(64 << 10);
    InThreads(4, [payload](uint32_t seed) {
      std::mt19937 random(seed);
      std::vector<std::pair<uint64_t, Payload>> handles = {{0, payload}};
      for (int i = 0; i < 300; ++i) {
        const auto& [offset, source] = handles[random() % handles.size()];
        if (source.size() > 0 && handles.size() < 20) {
          const uint64_t at = random() % source.size();
          Payload slice = source.Slice(at, 1 + random() % source.size());
          Check(slice, offset + at);
          const uint64_t start = offset + at;
          handles.emplace_back(start, std::move(slice));
        } else {
          handles.erase(handles.begin() + static_cast<ptrdiff_t>(random() % handles.size()));
          if (handles.empty()) return;
        }
      }
    });
  }
}

// The memory of what one thread dropped is soon another's: whoever still reads it would see foreign bytes.
TEST(PayloadThreadsTest, MemoryIsReusedOnlyAfterTheLastHandle) {
  InThreads(4, [](uint32_t seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 100; ++i) {
      const size_t size = 1 + random() % 40000;
      Payload payload = Filled(size);
      Payload kept = payload.Slice(size / 2, size);
      payload = Payload();
      const Payload other = Filled(size);
      Check(kept, size / 2);
      Check(other, 0);
    }
  });
}

TEST(PayloadThreadsTest, ExternalMemoryIsReleasedOnceWhoeverIsLast) {
  constexpr int kRounds = 300;
  testing::Latch all(kRounds);
  std::atomic<int> released = 0;
  for (int round = 0; round < kRounds; ++round) {
    // Written by the release: a reader that is not done would race with it.
    auto bytes = std::make_shared<std::string>(100, 'e');
    Payload payload = Payload::FromExternal(bytes->data(), bytes->size(), [&, bytes] {
      std::memset(bytes->data(), 0, bytes->size());
      ++released;
      all.CountDown();
    });
    bytes.reset();
    std::thread other([copy = payload.Slice(10, 50)]() mutable {
      EXPECT_EQ(copy.spans()[0][49], 'e');
      copy = Payload();
    });
    EXPECT_EQ(payload.spans()[0][0], 'e');
    payload = Payload();
    other.join();
  }
  all.Wait();
  EXPECT_EQ(released, kRounds);
}

}  // namespace
}  // namespace pagewire
