// Streams that send without a copy and map what they receive, over real sockets.
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "transport/arena.h"
#include "transport/fault_stream.h"
#include "transport/lent_memory.h"
#include "transport/map_target.h"
#include "transport/page.h"
#include "transport/raw_peer.h"
#include "transport/runner.h"
#include "transport/session_offer.h"
#include "transport/stream_end.h"
#include "transport/stream_kinds.h"

namespace pagewire::transport::testing {
namespace {

struct Scenario {
  const char* name;
  bool ipv6 = false;
  double short_writes = 0;
  double short_reads = 0;
  double blocked = 0;
};

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

class PagePathsTest : public ::testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override {
    const Scenario& scenario = GetParam();
    // As sessions have them: pages are cut where TCP's own window ends, which must not be before a chunk does.
    StreamPair pair = ConnectSockets(runner_, scenario.ipv6 ? Ipv6Loopback() : Ipv4Loopback(), SessionTcpOptions());
    sender_ = Wrap(0, std::move(pair.first));
    receiver_ = Wrap(1, std::move(pair.second));
  }

  std::unique_ptr<StreamEnd> Wrap(int index, std::unique_ptr<ByteStream> stream) {
    const Scenario& scenario = GetParam();
    if (scenario.short_writes + scenario.short_reads + scenario.blocked > 0) {
      stream = std::make_unique<FaultStream>(std::move(stream), runner_.loop(index),
                                             FaultPlan{.seed = 7,
                                                       .short_read = scenario.short_reads,
                                                       .short_write = scenario.short_writes,
                                                       .blocked = scenario.blocked,
                                                       .longest_delay = absl::Microseconds(50)});
    }
    auto end = std::make_unique<StreamEnd>(runner_, index, std::move(stream));
    end->Start();
    return end;
  }

  // All of `bytes` without a copy, as one record.
  void SendZerocopy(std::string_view bytes, uint64_t tag) {
    while (!bytes.empty()) {
      IoResult result;
      sender_->Run([&] {
        const iovec from = Over(bytes);
        result = sender_->stream().WriteZerocopy({&from, 1}, {.end_of_record = true}, tag);
        sends_ += result.state == IoState::kOk;
        sender_->stream().TakeReleased(released_);
      });
      if (result.state == IoState::kBlocked) {
        ASSERT_TRUE(sender_->AwaitWritable());
        continue;
      }
      ASSERT_EQ(result.state, IoState::kOk) << result.error << CopyReasonName(result.reason);
      bytes.remove_prefix(result.bytes);
    }
  }

  // One chunk into the target; what was read behind it.
  std::string Receive(MapTarget& target, uint64_t length, size_t room_behind) {
    std::string behind(room_behind, '\0');
    while (length > 0) {
      ChunkTarget::Result result;
      receiver_->Run([&] { result = target.Receive(receiver_->stream(), length, absl::MakeSpan(behind)); });
      if (result.io.state == IoState::kBlocked) {
        if (!receiver_->AwaitReadable()) {
          ADD_FAILURE() << length << " bytes never came";
          return "";
        }
        continue;
      }
      if (result.io.state != IoState::kOk) {
        ADD_FAILURE() << result.io.error;
        return "";
      }
      length -= result.io.bytes - result.behind;
      if (length == 0) behind.resize(result.behind);
    }
    receiver_->Run([&] { receiver_->stream().SetReadThreshold(1); });
    return behind;
  }

  void AwaitAllReleased() {
    for (;;) {
      size_t outstanding = 0;
      sender_->Run([&] {
        sender_->stream().TakeReleased(released_);
        outstanding = sender_->stream().unreleased();
      });
      if (outstanding == 0) return;
      ASSERT_TRUE(sender_->AwaitWritable());
    }
  }

  ThreadedRunner runner_;
  std::unique_ptr<StreamEnd> sender_, receiver_;
  int sends_ = 0;
  std::vector<Released> released_;
};

// Chunks of all sizes between headers of all sizes, as a session sends them.
TEST_P(PagePathsTest, EveryByteArrivesAndIsCounted) {
  const bool faulty = GetParam().short_reads > 0 || GetParam().short_writes > 0;
  ASSERT_TRUE(receiver_->stream().page_paths().map);
  EXPECT_TRUE(receiver_->stream().page_paths().whole_page_segments);
  std::mt19937 random(3);
  std::vector<size_t> pages;
  uint64_t size = 0;
  for (int i = 0; i < (faulty ? 12 : 40); ++i) {
    pages.push_back(1 + random() % 64);
    size += pages.back() * kPageBytes;
  }
  const std::string bytes = Pattern(size);
  const absl::StatusOr<std::shared_ptr<Arena>>& arena = Arena::Default();
  ASSERT_TRUE(arena.ok()) << arena.status();
  PayloadPieces pieces(memory::Pool::Default());
  TransferReport report;
  MapTarget target(size, **arena, pieces, report);
  uint64_t sent = 0;
  std::string ahead;
  for (const size_t count : pages) {
    const std::string header(1 + random() % 100, 'h');
    ASSERT_TRUE(sender_->WriteAll(header));
    SendZerocopy(std::string_view(bytes).substr(sent, count * kPageBytes), sent);
    sent += count * kPageBytes;
    ASSERT_EQ(ahead + receiver_->ReadExactly(header.size() - ahead.size()), header);
    target.BeginChunk();
    // The next header is not sent yet: nothing can be behind.
    ahead = Receive(target, count * kPageBytes, 1);
    ASSERT_EQ(ahead, "");
  }
  AwaitAllReleased();
  EXPECT_EQ(released_.size(), static_cast<size_t>(sends_));
  uint64_t released_bytes = 0;
  for (const Released& released : released_) {
    released_bytes += released.bytes;
    EXPECT_TRUE(released.copied) << "over loopback the kernel copies";
  }
  EXPECT_EQ(released_bytes, size);
  uint64_t copied = 0;
  for (const uint64_t part : report.copied_bytes) copied += part;
  EXPECT_EQ(report.mapped_bytes + copied, size);
  if (!faulty) {
    EXPECT_EQ(copied, 0u) << report.ToString();
  }
  const Payload payload = pieces.Take().Build();
  EXPECT_EQ(payload.size(), size);
  EXPECT_TRUE(Flat(payload) == bytes);
}

TEST_P(PagePathsTest, WhatFollowsAChunkComesWithIt) {
  const std::string bytes = Pattern(64 << 10);
  PayloadPieces pieces(memory::Pool::Default());
  TransferReport report;
  MapTarget target(4 * bytes.size(), **Arena::Default(), pieces, report);
  std::string expected, stream;
  for (int i = 0; i < 4; ++i) {
    SendZerocopy(bytes, i);
    const std::string header = Pattern(20 + i, 99 + i);
    ASSERT_TRUE(sender_->WriteAll(header));
    expected += header;
  }
  for (int i = 0; i < 4; ++i) {
    target.BeginChunk();
    const std::string behind = Receive(target, bytes.size(), 20 + i);
    stream += behind + receiver_->ReadExactly(20 + i - behind.size());
  }
  EXPECT_EQ(stream, expected);
  EXPECT_TRUE(Flat(pieces.Take().Build()) == bytes + bytes + bytes + bytes);
  AwaitAllReleased();
}

// Through a slow reader, at every alignment; between ordinary writes.
TEST_P(PagePathsTest, SplicedBytesArriveInOrder) {
  ASSERT_TRUE(sender_->stream().page_paths().splice);
  std::mt19937 random(5);
  const std::string bytes = Pattern(6 << 20);
  std::string expected;
  std::thread writer([&, this] {
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::string header(1 + random() % 100, 'h');
      ASSERT_TRUE(sender_->WriteAll(header));
      std::string_view part = rest.substr(0, 1 + random() % (700 << 10));
      rest.remove_prefix(part.size());
      expected.append(header).append(part);
      while (!part.empty()) {
        IoResult result;
        sender_->Run([&] {
          const size_t half = part.size() / 2;
          const iovec from[2] = {Over(part.substr(0, half)), Over(part.substr(half))};
          result = sender_->stream().WriteSpliced(from);
        });
        if (result.state == IoState::kBlocked) {
          ASSERT_TRUE(sender_->AwaitWritable());
          continue;
        }
        ASSERT_EQ(result.state, IoState::kOk) << result.error << CopyReasonName(result.reason);
        part.remove_prefix(result.bytes);
      }
    }
    sender_->CloseWrite();
  });
  const std::string received = receiver_->ReadAll();
  writer.join();
  EXPECT_TRUE(received == expected);
}

TEST_P(PagePathsTest, FilesArriveInOrderAndTellTheirEnd) {
  const std::string bytes = Pattern((3 << 20) + 77);
  const base::UniqueFd file(memfd_create("file", MFD_CLOEXEC));
  ASSERT_EQ(pwrite(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  IoResult result;
  std::thread writer([&, this] {
    for (uint64_t offset = 5;;) {
      sender_->Run([&] { result = sender_->stream().WriteFile(file.get(), offset, 300'000); });
      if (result.state == IoState::kBlocked) {
        ASSERT_TRUE(sender_->AwaitWritable());
        continue;
      }
      if (result.state != IoState::kOk) break;
      offset += result.bytes;
    }
    sender_->CloseWrite();
  });
  const std::string received = receiver_->ReadAll();
  writer.join();
  EXPECT_EQ(result.state, IoState::kEnd) << result.error;
  EXPECT_TRUE(received == bytes.substr(5));
}

TEST_P(PagePathsTest, SplicingToAPeerThatIsGoneIsAnErrorAndNoSignal) {
  receiver_->Abort();
  receiver_->Destroy();
  const std::string bytes = Pattern(64 << 10);
  IoResult result = IoResult::Ok(0);
  while (result.state == IoState::kOk || result.state == IoState::kBlocked) {
    sender_->Run([&] {
      const iovec from = Over(bytes);
      result = sender_->stream().WriteSpliced({&from, 1});
    });
  }
  EXPECT_EQ(result.state, IoState::kFailed);
  EXPECT_EQ(result.error.code(), absl::StatusCode::kUnavailable) << result.error;
}

TEST_P(PagePathsTest, AbortReturnsWhatIsOutstanding) {
  const std::string bytes = Pattern(256 << 10);
  sender_->Run([&] {
    const iovec from = Over(bytes);
    for (int i = 0; i < 1000; ++i) {
      const IoResult result = sender_->stream().WriteZerocopy({&from, 1}, {}, 5);
      if (result.state == IoState::kBlocked) break;
      ASSERT_EQ(result.state, IoState::kOk);
    }
    EXPECT_GT(sender_->stream().unreleased(), 0u);
  });
  sender_->Abort();
  AwaitAllReleased();
}

TEST_P(PagePathsTest, TheEndInTheMiddleOfAChunkIsTold) {
  const std::string bytes = Pattern(10'000);
  ASSERT_TRUE(sender_->WriteAll(bytes));
  sender_->CloseWrite();
  PayloadPieces pieces(memory::Pool::Default());
  TransferReport report;
  MapTarget target(1 << 20, **Arena::Default(), pieces, report);
  target.BeginChunk();
  uint64_t taken = 0;
  for (;;) {
    ChunkTarget::Result result;
    receiver_->Run([&] { result = target.Receive(receiver_->stream(), (1 << 20) - taken, {}); });
    if (result.io.state == IoState::kBlocked) {
      ASSERT_TRUE(receiver_->AwaitReadable());
      continue;
    }
    if (result.io.state == IoState::kEnd) break;
    ASSERT_EQ(result.io.state, IoState::kOk) << result.io.error;
    taken += result.io.bytes;
  }
  EXPECT_EQ(taken, bytes.size()) << "the part of a page, too";
}

INSTANTIATE_TEST_SUITE_P(Streams, PagePathsTest,
                         ::testing::Values(Scenario{"Ipv4"}, Scenario{"Ipv6", true},
                                           Scenario{"ShortWrites", false, 0.3}, Scenario{"ShortReads", false, 0, 0.3},
                                           Scenario{"AllFaults", false, 0.3, 0.3, 0.1}),
                         [](const auto& scenario) { return scenario.param.name; });

class ZerocopyLimitsTest : public ::testing::Test {
 protected:
  void Connect() {
    StreamPair pair = ConnectSockets(runner_, Ipv4Loopback());
    sender_ = std::make_unique<StreamEnd>(runner_, 0, std::move(pair.first));
    receiver_ = std::make_unique<StreamEnd>(runner_, 1, std::move(pair.second));
    sender_->Start();
    receiver_->Start();
  }

  IoResult Send(const void* data, size_t size) {
    IoResult result;
    sender_->Run([&] {
      const iovec from = {const_cast<void*>(data), size};
      result = sender_->stream().WriteZerocopy({&from, 1}, {}, 1);
    });
    return result;
  }

  ThreadedRunner runner_;
  std::unique_ptr<StreamEnd> sender_, receiver_;
};

TEST_F(ZerocopyLimitsTest, MemoryWithoutPagesMustBeCopied) {
  // The kernel's own data, mapped into every process: memory without struct pages.
  std::ifstream maps("/proc/self/maps");
  uintptr_t address = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("[vvar]") != std::string::npos) address = std::stoull(line, nullptr, 16);
  }
  if (address == 0) GTEST_SKIP() << "this kernel maps no [vvar]";
  Connect();
  const IoResult result = Send(reinterpret_cast<const void*>(address), kPageBytes);
  EXPECT_EQ(result.state, IoState::kMustCopy);
  EXPECT_EQ(result.reason, CopyReason::kNotPageBacked);
  EXPECT_EQ(sender_->stream().unreleased(), 0u);
}

TEST_F(ZerocopyLimitsTest, ManyOutstandingSendsWaitForCompletions) {
  Connect();
  const std::string bytes = Pattern(kPageBytes);
  size_t sent = 0;
  for (IoResult result = Send(bytes.data(), bytes.size()); result.state != IoState::kBlocked;
       result = Send(bytes.data(), bytes.size())) {
    ASSERT_EQ(result.state, IoState::kOk);
    sent += result.bytes;
    ASSERT_LT(sent, 1u << 30);
  }
  sender_->TakeWritable();
  // Reading makes room, whatever it was that was short.
  size_t received = 0;
  std::string all;
  bool writable = false;
  while (received < sent) {
    received += receiver_->ReadExactly(std::min<size_t>(64 << 10, sent - received)).size();
    writable = writable || sender_->TakeWritable() > 0;
  }
  if (!writable) {
    ASSERT_TRUE(sender_->AwaitWritable());
  }
  IoResult again;
  do {
    again = Send(bytes.data(), bytes.size());
  } while (again.state == IoState::kBlocked && sender_->AwaitWritable());
  EXPECT_EQ(again.state, IoState::kOk);
}

// As a user who may pin next to nothing. In a process of its own, which gives its rights up.
void SendAsNobody() {
  const rlimit little = {.rlim_cur = 16 << 10, .rlim_max = 16 << 10};
  if (setrlimit(RLIMIT_MEMLOCK, &little) != 0 || setresuid(65534, 65534, 65534) != 0) _exit(3);
  ThreadedRunner runner;
  StreamPair pair = ConnectSockets(runner, Ipv4Loopback());
  StreamEnd sender(runner, 0, std::move(pair.first));
  StreamEnd receiver(runner, 1, std::move(pair.second));
  sender.Start();
  receiver.Start();
  const std::string bytes = Pattern(60 << 10);
  IoResult result;
  sender.Run([&] {
    const iovec from = Over(bytes);
    result = sender.stream().WriteZerocopy({&from, 1}, {}, 1);
  });
  const bool right = result.state == IoState::kMustCopy && result.reason == CopyReason::kEnobufs;
  std::fprintf(stderr, "state %d, reason %s\n", static_cast<int>(result.state),
               std::string(CopyReasonName(result.reason)).c_str());
  _exit(right ? 0 : 1);
}

TEST(ZerocopyLimitsDeathTest, AUserWhoMayPinNothingMustCopy) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(SendAsNobody(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace pagewire::transport::testing
