#include <gtest/gtest.h>
#include <pagewire/internal/block_pool.h>

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pagewire::internal {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

TEST(BlockPool, BlocksAreWholeApartAndAligned) {
  for (const size_t bytes : {0, 1, 63, 64, 65, 500, 1023, 1024, 1025, 100'000}) {
    std::vector<char*> blocks;
    for (int i = 0; i < 1000; ++i) {
      auto* const block = static_cast<char*>(TakeBlock(bytes));
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0u);
      std::memset(block, i % 100, bytes);
      blocks.push_back(block);
    }
    for (int i = 0; i < 1000; ++i) {
      const std::string content(blocks[i], bytes);
      EXPECT_EQ(content, std::string(bytes, static_cast<char>(i % 100))) << bytes;
      GiveBlock(blocks[i], bytes);
    }
  }
}

TEST(BlockPool, ABlockIsUsedAgainForAnythingOfItsSize) {
  void* const block = TakeBlock(100);
  GiveBlock(block, 100);
  void* const again = TakeBlock(128);
  void* const other = TakeBlock(65);
  if (kKeeps) {
    EXPECT_EQ(again, block);
  }
  EXPECT_NE(again, other);
  GiveBlock(again, 128);
  GiveBlock(other, 65);
}

TEST(BlockPool, WhatOneThreadGivesAnotherTakes) {
  // More than the thread that gives may keep, so that they come around.
  constexpr int kBlocks = 10'000;
  std::set<void*> given;
  for (int i = 0; i < kBlocks; ++i) given.insert(TakeBlock(1024));
  std::thread([&given] {
    for (void* block : given) GiveBlock(block, 1024);
  }).join();
  int known = 0;
  std::vector<void*> taken;
  for (int i = 0; i < 16; ++i) {
    taken.push_back(TakeBlock(1024));
    if (given.contains(taken.back())) ++known;
  }
  if (kKeeps) {
    EXPECT_EQ(known, 16);
  }
  for (void* block : taken) GiveBlock(block, 1024);
}

TEST(BlockPool, ThreadsComeAndGoWhileOthersUseTheirBlocks) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t] {
      for (int round = 0; round < 50; ++round) {
        std::vector<std::pair<char*, size_t>> blocks;
        for (size_t i = 0; i < 300; ++i) {
          const size_t bytes = 8 + (i * 37 + t) % 1100;
          auto* const block = static_cast<char*>(TakeBlock(bytes));
          std::memset(block, t, bytes);
          blocks.emplace_back(block, bytes);
        }
        // Half of them end on another thread, which ends then.
        std::thread([&] {
          for (size_t i = 0; i < blocks.size(); i += 2) GiveBlock(blocks[i].first, blocks[i].second);
        }).join();
        for (size_t i = 1; i < blocks.size(); i += 2) {
          ASSERT_EQ(blocks[i].first[blocks[i].second - 1], t);
          GiveBlock(blocks[i].first, blocks[i].second);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Takes and gives when its thread has given back all that it kept.
struct AtTheEnd {
  ~AtTheEnd() {
    GiveBlock(block, 64);
    GiveBlock(TakeBlock(64), 64);
  }
  void* block = nullptr;
};

TEST(BlockPool, AThreadMayUseItToItsEnd) {
  std::thread([] {
    thread_local AtTheEnd end;  // made before the pool's own, so destroyed after it
    end.block = TakeBlock(64);
  }).join();
}

TEST(Boxed, IsSmallIsCalledAndDestroyedOnce) {
  const auto counted = std::make_shared<int>(0);
  std::string text(100, 'x');
  {
    auto box = Box([counted, text, calls = 0](int add) mutable {
      calls += add;
      *counted = calls;
      return text;
    });
    static_assert(sizeof(box) == sizeof(void*));
    EXPECT_EQ(counted.use_count(), 2);
    absl::AnyInvocable<std::string(int)> task = std::move(box);
    EXPECT_EQ(task(2), text);
    EXPECT_EQ(task(3), text);
    EXPECT_EQ(*counted, 5);
    EXPECT_EQ(counted.use_count(), 2);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(BlockAllocator, SharedObjectsAndTablesLiveInBlocks) {
  auto text = MakeShared<std::string>(200, 'y');
  std::weak_ptr<std::string> weak = text;
  EXPECT_EQ(text->size(), 200u);
  text.reset();
  EXPECT_TRUE(weak.expired());
  std::vector<uint64_t, BlockAllocator<uint64_t>> numbers;
  for (uint64_t i = 0; i < 1000; ++i) numbers.push_back(i);  // through every size and beyond
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(numbers[i], i);
  EXPECT_THROW(BlockAllocator<uint64_t>().allocate(static_cast<size_t>(-1) / 4), std::bad_array_new_length);
}

}  // namespace
}  // namespace pagewire::internal
