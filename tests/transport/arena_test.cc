#include "transport/arena.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "transport/page.h"
#include "transport/raw_peer.h"
#include "transport/runner.h"
#include "transport/stream_end.h"
#include "transport/stream_kinds.h"

namespace pagewire::transport::testing {
namespace {

// Bytes of pages that are mapped between two addresses.
uint64_t ResidentBytes(const char* begin, const char* end) {
  std::ifstream maps("/proc/self/smaps");
  uint64_t resident = 0;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long first, last;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &last) == 2) {
      inside = first < reinterpret_cast<uintptr_t>(end) && last > reinterpret_cast<uintptr_t>(begin);
    } else if (unsigned long kilobytes; inside && std::sscanf(line.c_str(), "Rss: %lu kB", &kilobytes) == 1) {
      resident += kilobytes << 10;
    }
  }
  return resident;
}

std::shared_ptr<Arena> NewArena(uint64_t bytes, uint64_t batch_bytes) {
  absl::StatusOr<std::shared_ptr<Arena>> arena = Arena::Create({.bytes = bytes, .batch_bytes = batch_bytes});
  EXPECT_TRUE(arena.ok()) << arena.status();
  return *arena;
}

// Fills ranges with pages that came over a connection.
class ArenaPagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StreamPair pair = ConnectSockets(runner_, Ipv4Loopback());
    sender_ = std::make_unique<StreamEnd>(runner_, 0, std::move(pair.first));
    receiver_ = std::make_unique<StreamEnd>(runner_, 1, std::move(pair.second));
    sender_->Start();
    receiver_->Start();
  }

  void Fill(const ArenaRange& range, const std::string& bytes) {
    ASSERT_EQ(range.size(), bytes.size());
    size_t sent = 0, mapped = 0;
    while (mapped < bytes.size()) {
      if (sent < bytes.size()) {
        sender_->Run([&] {
          const iovec from = Over(std::string_view(bytes).substr(sent));
          sent += sender_->stream().WriteZerocopy({&from, 1}, {.end_of_record = true}, 0).bytes;
        });
      }
      MapResult result;
      receiver_->Run([&] { result = receiver_->stream().Map({range.data() + mapped, range.size() - mapped, {}}); });
      ASSERT_TRUE(result.state == IoState::kOk || result.state == IoState::kBlocked);
      ASSERT_EQ(result.must_read, 0u);
      if (result.state == IoState::kBlocked) {
        ASSERT_TRUE(receiver_->AwaitReadable());
      }
      mapped += result.mapped;
    }
    // Nothing of `bytes` is with the kernel any more.
    for (size_t left = 1; left > 0;) {
      sender_->Run([&] {
        std::vector<Released> released;
        sender_->stream().TakeReleased(released);
        left = sender_->stream().unreleased();
      });
      if (left > 0) {
        ASSERT_TRUE(sender_->AwaitWritable());
      }
    }
  }

  ThreadedRunner runner_;
  std::unique_ptr<StreamEnd> sender_, receiver_;
};

TEST_F(ArenaPagesTest, PagesStayUntilTheirRangeIsGivenBack) {
  const std::shared_ptr<Arena> arena = NewArena(1 << 20, 128 << 10);
  auto first = arena->TryAllocate(64 << 10), second = arena->TryAllocate(64 << 10);
  const char* const begin = first->data();
  const char* const end = second->data() + second->size();
  ASSERT_EQ(end - begin, 128 << 10) << "neighbours";
  const std::string one = Pattern(64 << 10, 1), two = Pattern(64 << 10, 2);
  Fill(*first, one);
  Fill(*second, two);
  EXPECT_EQ(ResidentBytes(begin, end), 128u << 10);
  EXPECT_EQ(std::string_view(first->data(), first->size()), one);
  first.reset();
  EXPECT_EQ(arena->stats().released, 64u << 10) << "it waits for the batch";
  EXPECT_EQ(std::string_view(second->data(), second->size()), two);
  second.reset();
  const Arena::Stats stats = arena->stats();
  EXPECT_EQ(stats.released, 0u);
  EXPECT_EQ(stats.in_use, 0u);
  EXPECT_EQ(stats.given_back, 128u << 10);
  EXPECT_EQ(stats.give_back_calls, 1u) << "one for both";
  EXPECT_EQ(ResidentBytes(begin, end), 0u);
}

TEST_F(ArenaPagesTest, RangesOutliveTheConnection) {
  const std::shared_ptr<Arena> arena = NewArena(1 << 20, 1 << 20);
  const auto range = arena->TryAllocate(256 << 10);
  const std::string bytes = Pattern(256 << 10);
  Fill(*range, bytes);
  sender_.reset();
  receiver_.reset();
  EXPECT_EQ(std::string_view(range->data(), range->size()), bytes);
}

TEST_F(ArenaPagesTest, AChildHasNoneOfIt) {
  const std::shared_ptr<Arena> arena = NewArena(1 << 20, 1 << 20);
  const auto range = arena->TryAllocate(kPageBytes);
  Fill(*range, Pattern(kPageBytes));
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const base::UniqueFd read_end(ends[0]), write_end(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    // The kernel looks at the memory for us: a fault would be the sanitizers' business.
    const bool there = write(write_end.get(), range->data(), 1) == 1;
    _exit(there || errno != EFAULT ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ArenaTest, WhatIsUsedUpIsUsedUpUntilItIsGivenBack) {
  const std::shared_ptr<Arena> arena = NewArena(16 * kPageBytes, 1 << 30);
  auto all = arena->TryAllocate(16 * kPageBytes);
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(arena->stats().in_use, 16 * kPageBytes);
  EXPECT_EQ(arena->TryAllocate(kPageBytes), nullptr);
  all.reset();
  EXPECT_EQ(arena->stats().released, 16 * kPageBytes);
  EXPECT_NE(arena->TryAllocate(16 * kPageBytes), nullptr) << "what only waits is given back first";
}

TEST(ArenaTest, ARangeKeepsItsArena) {
  std::shared_ptr<Arena> arena = NewArena(1 << 20, 1);
  const auto range = arena->TryAllocate(kPageBytes);
  const std::weak_ptr<Arena> weak = arena;
  arena.reset();
  EXPECT_FALSE(weak.expired());
}

TEST(ArenaTest, TheProcesssIsOne) {
  ASSERT_TRUE(Arena::Default().ok()) << Arena::Default().status();
  EXPECT_EQ(Arena::Default()->get(), Arena::Default()->get());
  EXPECT_GE((*Arena::Default())->stats().reserved, 64u << 20);
}

TEST(ArenaTest, WithoutAddressesThereIsNone) {
  const absl::Status status = Arena::Create({.bytes = uint64_t{1} << 50}).status();
  EXPECT_EQ(status, absl::UnavailableError("received pages cannot be mapped and are copied: mmap of a TCP socket: "
                                           "Cannot allocate memory (ENOMEM)"));
}

// No two ranges that are out ever overlap, whoever takes and drops them.
TEST(ArenaTest, ThreadsShareIt) {
  const std::shared_ptr<Arena> arena = NewArena(256 * kPageBytes, 16 * kPageBytes);
  std::vector<std::atomic<int>> owners(256);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(thread);
      std::vector<std::shared_ptr<const ArenaRange>> mine;
      const auto mark = [&](const ArenaRange& range, int before, int after) {
        for (size_t page = 0; page < range.size() / kPageBytes; ++page) {
          const size_t index = (reinterpret_cast<uintptr_t>(range.data()) / kPageBytes + page) % 256;
          int expected = before;
          EXPECT_TRUE(owners[index].compare_exchange_strong(expected, after));
        }
      };
      for (int step = 0; step < 2000; ++step) {
        if (random() % 2 == 0) {
          auto range = arena->TryAllocate((1 + random() % 8) * kPageBytes);
          if (range == nullptr) continue;
          mark(*range, 0, thread + 1);
          mine.push_back(std::move(range));
        } else if (!mine.empty()) {
          std::swap(mine[random() % mine.size()], mine.back());
          mark(*mine.back(), thread + 1, 0);
          mine.pop_back();
        }
      }
      for (const auto& range : mine) mark(*range, thread + 1, 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(arena->stats().in_use, 0u);
  EXPECT_LT(arena->stats().released, 16 * kPageBytes);
}

}  // namespace
}  // namespace pagewire::transport::testing
