// A received payload as currency: it goes on to others from the pages that it was mapped into, without being copied.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "integration/blob_service.h"
#include "payload/pool.h"
#include "transport/arena.h"

namespace pagewire::test {
namespace {

constexpr uint64_t kTail = 1234;
constexpr uint64_t kBytes = (64 << 20) + kTail;
constexpr int kSinks = 3;
// What frames, tails and bookkeeping may take of the pool, and far less than a payload.
constexpr uint64_t kSmall = 1 << 20;

// Keeps every payload that comes, in mapped pages.
class Keeper {
 public:
  Keeper() {
    ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port_);
    builder.SetReceivePath(ReceivePath::kMap);
    builder.RegisterService(&blobs_);
    server_ = *builder.BuildAndStart();
  }
  Blob::Stub StubWith(SendPath path) const {
    ChannelOptions options;
    options.send_path = path;
    return Blob::Stub(
        CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port_), InsecureChannelCredentials(), options));
  }
  Payload Take() {
    std::vector<Payload> kept = blobs_.TakeKept();
    return kept.empty() ? Payload() : std::move(kept.front());
  }

 private:
  BlobService blobs_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

// Sends, and looks at what is said of it: nothing but the tail was copied, anywhere.
void KeepOver(Blob::Stub& stub, SendPath path, const Payload& payload) {
  ClientContext context;
  ASSERT_TRUE(stub.Keep(context, BlobRequest(), payload).ok());
  const TransferReport& report = context.transfer_report().sent;
  EXPECT_EQ(report.send_path, path);
  EXPECT_EQ(report.mapped_bytes, kBytes - kTail) << report.explain();
  EXPECT_EQ(report.copied(CopyReason::kTail), kTail) << report.explain();
  if (path == SendPath::kSplice) {
    EXPECT_EQ(report.kernel_copied_bytes, kTail) << report.explain();
  }
}

void Keep(const Keeper& at, SendPath path, const Payload& payload) {
  Blob::Stub stub = at.StubWith(path);
  KeepOver(stub, path, payload);
}

// The physical pages behind a payload's whole pages; empty where the kernel does not tell.
std::vector<uint64_t> Frames(const Payload& payload) {
  const base::UniqueFd map(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  std::vector<uint64_t> frames;
  for (const absl::Span<const char> span : payload.spans()) {
    for (size_t at = 0; at + 4096 <= span.size(); at += 4096) {
      // Looked at, so that the page is in our page table.
      const volatile char seen = span[at];
      static_cast<void>(seen);
      uint64_t entry = 0;
      const auto offset = static_cast<off_t>(reinterpret_cast<uintptr_t>(span.data() + at) / 4096 * sizeof(entry));
      if (pread(map.get(), &entry, sizeof(entry), offset) != sizeof(entry)) return {};
      const uint64_t frame = entry & ((uint64_t{1} << 55) - 1);
      if (frame == 0) return {};  // only the superuser is told
      frames.push_back(frame);
    }
  }
  return frames;
}

uint64_t PoolBytes() { return memory::Pool::Default().stats().in_use; }

class FanOutTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (size_t i = 0; i < source_.size(); ++i) source_[i] = static_cast<char>(i * 2654435761u >> 13);
    Keep(relay_, SendPath::kZerocopy, Payload::FromExternal(source_.data(), source_.size(), nullptr));
    received_ = relay_.Take();
    ASSERT_EQ(received_.size(), kBytes);
  }

  bool IsRight(const Payload& payload) const {
    size_t at = 0;
    for (const absl::Span<const char> span : payload.spans()) {
      if (source_.compare(at, span.size(), span.data(), span.size()) != 0) return false;
      at += span.size();
    }
    return at == source_.size();
  }

  std::string source_ = std::string(kBytes, '\0');
  Keeper relay_;
  Payload received_;
};

TEST_F(FanOutTest, ThreePeersMapThePagesOfOne) {
  EXPECT_LT(PoolBytes(), kSmall) << "the relay has mapped it";
  const std::vector<uint64_t> frames = Frames(received_);
  std::vector<std::unique_ptr<Keeper>> sinks;
  std::vector<Payload> delivered;
  for (int i = 0; i < kSinks; ++i) {
    sinks.push_back(std::make_unique<Keeper>());
    Keep(*sinks.back(), SendPath::kSplice, received_);
    delivered.push_back(sinks.back()->Take());
    EXPECT_LT(PoolBytes(), kSmall) << "nobody has copied it";
  }
  for (const Payload& payload : delivered) {
    EXPECT_TRUE(IsRight(payload));
    if (frames.empty()) continue;
    EXPECT_TRUE(Frames(payload) == frames) << "the pages are those of the relay";
  }
  // The relay lets go first: the peers keep the pages.
  received_ = Payload();
  EXPECT_TRUE(IsRight(delivered.back()));
}

// A chain, and a peer that goes before it has read: the pages outlive every connection.
TEST_F(FanOutTest, PagesOutliveTheConnectionsTheyCameOver) {
  auto second = std::make_unique<Keeper>();
  Keep(*second, SendPath::kSplice, received_);
  Payload passed_on = second->Take();
  Keeper third;
  Keep(third, SendPath::kSplice, passed_on);
  second.reset();
  received_ = passed_on = Payload();
  EXPECT_TRUE(IsRight(third.Take()));
}

TEST_F(FanOutTest, SlicesAndConcatenationsOfReceivedPagesAreNotCopied) {
  const uint64_t half = (kBytes / 2) / 4096 * 4096;
  const Payload parts[] = {received_.Slice(0, half), received_.Slice(half, kBytes - half)};
  Keeper sink;
  Keep(sink, SendPath::kSplice, Payload::Concat(parts));
  EXPECT_LT(PoolBytes(), kSmall);
  EXPECT_TRUE(IsRight(sink.Take()));
}

TEST_F(FanOutTest, PagesGoBackWhenTheSlowestIsDone) {
  const auto& arena = transport::Arena::Default();
  ASSERT_TRUE(arena.ok());
  const uint64_t before = (*arena)->stats().in_use;
  EXPECT_GE(before, kBytes - kTail);
  Keeper sink;
  // Its connection stays: one that ends lets go of mapped pages at once, which nobody writes to.
  Blob::Stub stub = sink.StubWith(SendPath::kSplice);
  KeepOver(stub, SendPath::kSplice, received_);
  Payload slow = sink.Take();
  received_ = Payload();
  // The relay's addresses go when the sink has released the payload, which its sender is told within 100 ms.
  EXPECT_GE((*arena)->stats().in_use, 2 * (kBytes - kTail));
  slow = Payload();
  while ((*arena)->stats().in_use > 0) usleep(1000);
}

}  // namespace
}  // namespace pagewire::test
