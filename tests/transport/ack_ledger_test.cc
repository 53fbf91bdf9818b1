#include "transport/ack_ledger.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pagewire/payload_buffer.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace pagewire::transport::testing {
namespace {

// Tells, through the ledger's handle on it, whether the buffer is free. Cord memory is given back at once, unlike
// external memory, whose release runs on the executor.
class Buffer {
 public:
  Payload Make() {
    auto* self = this;
    return Payload::FromCord(absl::MakeCordFromExternal("some bytes that are long enough", [self] { ++self->freed; }));
  }
  int freed = 0;
};

AckLedger::Chunk ChunkOn(SendPath path, Buffer& buffer, uint64_t end, uint64_t payload_id = 1) {
  return {path, buffer.Make(), payload_id, 4096, end, nullptr};
}

TEST(AckLedgerTest, CopyIsFreeOnceHandedOver) {
  Buffer buffer;
  AckLedger ledger;
  const auto id = ledger.Add(ChunkOn(SendPath::kCopy, buffer, 4096));
  EXPECT_EQ(ledger.holds(), 1u);
  EXPECT_EQ(ledger.bytes(), 4096u);
  EXPECT_EQ(buffer.freed, 0);
  ledger.OnHandedOver(id);
  EXPECT_EQ(buffer.freed, 1);
  EXPECT_EQ(ledger.holds(), 0u);
  EXPECT_EQ(ledger.bytes(), 0u);
}

TEST(AckLedgerTest, ZerocopyNeedsTheKernelAndThePeer) {
  for (const bool peer_first : {false, true}) {
    Buffer buffer;
    AckLedger ledger;
    const auto id = ledger.Add(ChunkOn(SendPath::kZerocopy, buffer, 4096));
    ledger.OnReference(id);
    ledger.OnReference(id);
    ledger.OnHandedOver(id);
    if (peer_first) ledger.OnPeerReceived(4096);
    ledger.OnKernelReleased(id);
    EXPECT_EQ(buffer.freed, 0) << "one of two sends is outstanding";
    ledger.OnKernelReleased(id);
    EXPECT_EQ(buffer.freed, peer_first ? 1 : 0);
    ledger.OnPeerReceived(4095);
    EXPECT_EQ(buffer.freed, peer_first ? 1 : 0) << "not all of the chunk";
    ledger.OnPeerReceived(4096);
    EXPECT_EQ(buffer.freed, 1);
  }
}

TEST(AckLedgerTest, WhatTheKernelReleasedBeforeAllWasHandedOverIsHeld) {
  Buffer buffer;
  AckLedger ledger;
  const auto id = ledger.Add(ChunkOn(SendPath::kZerocopy, buffer, 8192));
  ledger.OnReference(id);
  ledger.OnKernelReleased(id);
  ledger.OnPeerReceived(8192);
  EXPECT_EQ(buffer.freed, 0) << "the second half is still to be sent";
  ledger.OnHandedOver(id);
  EXPECT_EQ(buffer.freed, 1);
}

TEST(AckLedgerTest, ByReferenceOnlyThePeersApplicationCounts) {
  for (const SendPath path : {SendPath::kSplice, SendPath::kFile}) {
    Buffer buffer, other;
    AckLedger ledger;
    const auto id = ledger.Add(ChunkOn(path, buffer, 4096, 7));
    const auto second = ledger.Add(ChunkOn(path, other, 8192, 8));
    ledger.OnHandedOver(id);
    ledger.OnHandedOver(second);
    ledger.OnPeerReceived(8192);
    EXPECT_EQ(buffer.freed, 0);
    ledger.OnPeerReleased(8, 9);
    EXPECT_EQ(buffer.freed, 0);
    EXPECT_EQ(other.freed, 1) << "out of order";
    ledger.OnPeerReleased(1, 7);
    EXPECT_EQ(buffer.freed, 1);
    EXPECT_EQ(ledger.holds(), 0u);
  }
}

TEST(AckLedgerTest, DeathFreesWhatTheKernelHasReleasedAndNothingElse) {
  Buffer copy, released, referenced, spliced;
  AckLedger ledger;
  ledger.Add(ChunkOn(SendPath::kCopy, copy, 4096));
  const auto gone = ledger.Add(ChunkOn(SendPath::kZerocopy, released, 8192));
  ledger.OnReference(gone);
  ledger.OnKernelReleased(gone);
  const auto kept = ledger.Add(ChunkOn(SendPath::kZerocopy, referenced, 12'288));
  ledger.OnReference(kept);
  ledger.Add(ChunkOn(SendPath::kSplice, spliced, 16'384));
  ledger.OnDead();
  EXPECT_EQ(copy.freed, 1);
  EXPECT_EQ(released.freed, 1);
  EXPECT_EQ(referenced.freed, 0);
  EXPECT_EQ(ledger.references(), 1u);
  ledger.OnKernelReleased(kept);
  EXPECT_EQ(referenced.freed, 1);
  EXPECT_EQ(spliced.freed, 0) << "only the peer could have said so";
  EXPECT_EQ(ledger.holds(), 1u);
}

// A pipe in place of the peer: it has references to the pages.
TEST(AckLedgerTest, PagesOfPooledMemoryAreGivenUpOnDeathAndNotBefore) {
  for (const bool dies : {false, true}) {
    PayloadBuffer buffer = PayloadBuffer::Allocate(8192);
    std::memset(buffer.data(), 'a', buffer.size());
    char* const memory = buffer.data();
    const iovec pages = {memory, buffer.size()};
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(vmsplice(ends[1], &pages, 1, 0), 8192);
    AckLedger ledger;
    const auto id = ledger.Add({SendPath::kSplice, std::move(buffer).Freeze(), 1, 8192, 8192, nullptr});
    ledger.OnHandedOver(id);
    dies ? ledger.OnDead() : ledger.OnPeerReleased(1, 1);
    EXPECT_EQ(ledger.holds(), 0u);
    PayloadBuffer next = PayloadBuffer::Allocate(8192);
    ASSERT_EQ(next.data(), memory) << "what was freed last is used first";
    std::memset(next.data(), 'b', next.size());
    std::string seen(8192, '\0');
    ASSERT_EQ(read(ends[0], seen.data(), seen.size()), 8192);
    EXPECT_EQ(seen, std::string(8192, dies ? 'a' : 'b'));
    close(ends[0]);
    close(ends[1]);
  }
}

TEST(AckLedgerTest, TheReportIsThereWhileTheHoldIs) {
  Buffer buffer;
  AckLedger ledger;
  auto report = std::make_shared<TransferReport>();
  AckLedger::Chunk chunk = ChunkOn(SendPath::kCopy, buffer, 4096);
  chunk.report = report;
  const auto id = ledger.Add(std::move(chunk));
  EXPECT_EQ(ledger.report(id), report.get());
  ledger.OnHandedOver(id);
  EXPECT_EQ(ledger.report(id), nullptr);
  EXPECT_EQ(ledger.report(99), nullptr);
}

// Random interleavings of everything that can happen, against the rule in its plainest words.
struct ModelChunk {
  SendPath path;
  uint64_t payload_id, end;
  AckLedger::HoldId id = 0;
  Buffer* buffer = nullptr;
  int references = 0;
  bool handed_over = false;
  bool peer_released = false;
};

bool MayBeFree(const ModelChunk& chunk, uint64_t received, bool dead) {
  if (!chunk.handed_over && !dead) return false;
  if (chunk.references > 0) return false;
  if (chunk.path == SendPath::kCopy) return true;
  if (chunk.path == SendPath::kZerocopy || chunk.path == SendPath::kFixed) return dead || received >= chunk.end;
  return chunk.peer_released || (dead && chunk.path == SendPath::kFile);
}

void RunModel(uint32_t seed) {
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](uint64_t below) { return std::uniform_int_distribution<uint64_t>(0, below - 1)(random); };
  constexpr SendPath kPaths[] = {SendPath::kCopy, SendPath::kZerocopy, SendPath::kFixed, SendPath::kSplice,
                                 SendPath::kFile};
  std::deque<Buffer> buffers;  // outlive what the ledger still holds
  AckLedger ledger;
  std::vector<ModelChunk> chunks;
  uint64_t sent = 0, received = 0, payload = 1;
  bool dead = false;
  for (int step = 0; step < 400; ++step) {
    switch (pick(7)) {
      case 0: {
        if (dead) break;
        payload += pick(2);
        const uint64_t bytes = 4096 * (1 + pick(4));
        sent += bytes + pick(2) * pick(100);  // a tail between, now and then
        ModelChunk chunk{kPaths[pick(5)], payload, sent};
        chunk.buffer = &buffers.emplace_back();
        chunk.id = ledger.Add({chunk.path, chunk.buffer->Make(), chunk.payload_id, bytes, chunk.end, nullptr});
        chunks.push_back(chunk);
        break;
      }
      case 1:  // a send without a copy; maybe it fails and is undone
        if (chunks.empty()) break;
        if (ModelChunk& chunk = chunks.back(); !dead && !chunk.handed_over && chunk.path != SendPath::kCopy) {
          ledger.OnReference(chunk.id);
          if (pick(4) == 0) {
            ledger.OnKernelReleased(chunk.id);
          } else {
            ++chunk.references;
          }
        }
        break;
      case 2:  // completions, in any order
        if (chunks.empty()) break;
        if (ModelChunk& chunk = chunks[pick(chunks.size())]; chunk.references > 0) {
          --chunk.references;
          ledger.OnKernelReleased(chunk.id);
        }
        break;
      case 3:
        for (ModelChunk& chunk : chunks) {
          if (dead || chunk.handed_over || pick(2) == 0) continue;
          chunk.handed_over = true;
          ledger.OnHandedOver(chunk.id);
        }
        break;
      case 4:
        if (dead) break;
        received += pick(sent - received + 1);
        ledger.OnPeerReceived(received);
        break;
      case 5: {
        if (dead) break;
        const uint64_t first = 1 + pick(payload), last = first + pick(3);
        for (ModelChunk& chunk : chunks) chunk.peer_released |= first <= chunk.payload_id && chunk.payload_id <= last;
        ledger.OnPeerReleased(first, last);
        break;
      }
      case 6:
        if (dead || pick(60) != 0) break;
        dead = true;
        ledger.OnDead();
        break;
    }
    size_t held = 0;
    uint64_t references = 0;
    for (const ModelChunk& chunk : chunks) {
      const bool free = MayBeFree(chunk, received, dead);
      // Free memory may be reused at once, so it must never be free too early; and it must be as soon as it may.
      ASSERT_EQ(chunk.buffer->freed, free ? 1 : 0) << "step " << step << ", " << SendPathName(chunk.path);
      held += !free;
      references += chunk.references;
    }
    ASSERT_EQ(ledger.holds(), held);
    ASSERT_EQ(ledger.references(), references);
  }
}

TEST(AckLedgerTest, AgreesWithTheRuleUnderRandomEvents) {
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    RunModel(seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace pagewire::transport::testing
