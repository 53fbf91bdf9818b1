#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/executor.h>
#include <pagewire/payload.h>
#include <pagewire/payload_buffer.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/latch.h"
#include "base/mutex.h"
#include "payload/payload_rep.h"

namespace pagewire {
namespace {

using testing::Latch;

std::string Text(const Payload& payload) {
  std::string text(payload.size(), '\0');
  payload.CopyTo(absl::MakeSpan(text));
  return text;
}

// Bytes that are never released.
Payload Of(std::string_view text) { return Payload::FromExternal(text.data(), text.size(), nullptr); }

struct Owner final : memory::SpanOwner {
  explicit Owner(std::string text) : bytes(std::move(text)) {}
  const std::string bytes;
};

// A payload of one span for each text; `owners` get the owners' weak references.
Payload Spans(const std::vector<std::string>& texts, std::vector<std::weak_ptr<const void>>* owners = nullptr) {
  auto rep = std::make_shared<internal::PayloadRep>();
  for (const std::string& text : texts) {
    const auto owner = std::make_shared<const Owner>(text);
    if (owners != nullptr) owners->push_back(owner);
    rep->Append(absl::MakeConstSpan(owner->bytes), owner);
  }
  return internal::PayloadAccess::Make(std::move(rep));
}

TEST(PayloadTest, EmptyByDefault) {
  const Payload payload;
  EXPECT_EQ(payload.size(), 0u);
  EXPECT_TRUE(payload.spans().empty());
  EXPECT_TRUE(payload.ToIovecs().empty());
  EXPECT_TRUE(payload.ToCord().empty());
  EXPECT_EQ(payload.Slice(0, UINT64_MAX).size(), 0u);
  EXPECT_EQ(payload.Detach().size(), 0u);
  char byte = 'x';
  payload.CopyTo(absl::MakeSpan(&byte, 1));
  EXPECT_EQ(byte, 'x');
}

TEST(PayloadTest, MovedFromIsEmpty) {
  Payload a = Of("abc");
  const Payload b = std::move(a);
  EXPECT_EQ(a.size(), 0u);
  EXPECT_TRUE(a.spans().empty());
  EXPECT_EQ(Text(b), "abc");
}

TEST(PayloadTest, SpansAreNeverEmpty) {
  const Payload payload = Spans({"", "ab", "", "c", ""});
  ASSERT_EQ(payload.spans().size(), 2u);
  EXPECT_EQ(payload.size(), 3u);
  EXPECT_EQ(Text(payload), "abc");
  EXPECT_EQ(Spans({"", ""}).spans().size(), 0u);
}

TEST(PayloadTest, IovecsAreTheSpans) {
  const Payload payload = Spans({"ab", "c"});
  const std::vector<iovec> iovecs = payload.ToIovecs();
  ASSERT_EQ(iovecs.size(), 2u);
  EXPECT_EQ(iovecs[1].iov_base, payload.spans()[1].data());
  EXPECT_EQ(iovecs[1].iov_len, 1u);
}

TEST(PayloadTest, CopyToFillsWhatThereIsRoomFor) {
  const Payload payload = Spans({"ab", "cd", "e"});
  std::string out = "........";
  payload.CopyTo(absl::MakeSpan(out));
  EXPECT_EQ(out, "abcde...");
  out = "...";
  payload.CopyTo(absl::MakeSpan(out));
  EXPECT_EQ(out, "abc");
  payload.CopyTo({});
}

TEST(PayloadTest, EverySlice) {
  const std::string whole = "abcdefghi";
  const Payload payload = Spans({"abc", "d", "efgh", "i"});
  for (uint64_t offset = 0; offset <= whole.size() + 2; ++offset) {
    for (uint64_t length = 0; length <= whole.size() + 2; ++length) {
      const std::string expected = offset >= whole.size() ? "" : whole.substr(offset, length);
      ASSERT_EQ(Text(payload.Slice(offset, length)), expected) << offset << " " << length;
    }
  }
}

TEST(PayloadTest, SlicesClampAnyArguments) {
  const Payload payload = Spans({"abc", "def"});
  EXPECT_EQ(Text(payload.Slice(0, UINT64_MAX)), "abcdef");
  EXPECT_EQ(Text(payload.Slice(1, UINT64_MAX)), "bcdef");
  EXPECT_EQ(Text(payload.Slice(5, UINT64_MAX - 4)), "f");
  EXPECT_EQ(Text(payload.Slice(6, UINT64_MAX)), "");
  EXPECT_EQ(Text(payload.Slice(UINT64_MAX, 1)), "");
  EXPECT_EQ(Text(payload.Slice(UINT64_MAX, UINT64_MAX)), "");
  EXPECT_EQ(Text(payload.Slice(UINT64_MAX - 1, 5)), "");
}

TEST(PayloadTest, ASliceKeepsOnlyWhatItTouches) {
  std::vector<std::weak_ptr<const void>> owners;
  Payload payload = Spans({"abc", "def", "ghi"}, &owners);
  Payload slice = payload.Slice(4, 1);
  payload = Payload();
  EXPECT_TRUE(owners[0].expired());
  EXPECT_FALSE(owners[1].expired());
  EXPECT_TRUE(owners[2].expired());
  EXPECT_EQ(Text(slice), "e");
  slice = Payload();
  EXPECT_TRUE(owners[1].expired());
}

TEST(PayloadTest, SizesBeyond4GiB) {
  // One mebibyte, 5,121 times.
  const auto memory = std::make_shared<const Owner>(std::string(1 << 20, 'x'));
  auto rep = std::make_shared<internal::PayloadRep>();
  for (int i = 0; i < 5121; ++i) rep->Append(absl::MakeConstSpan(memory->bytes), memory);
  const Payload payload = internal::PayloadAccess::Make(std::move(rep));
  EXPECT_EQ(payload.size(), 5121ull << 20);
  const Payload slice = payload.Slice((uint64_t{4} << 30) - 1, (uint64_t{1} << 30) + 2);
  EXPECT_EQ(slice.size(), (uint64_t{1} << 30) + 2);
  EXPECT_EQ(slice.spans().size(), 1026u);
  EXPECT_EQ(slice.spans().front().size(), 1u);
  EXPECT_EQ(slice.spans().back().size(), 1u);
  EXPECT_EQ(payload.Slice(5121ull << 20, 1).size(), 0u);
  EXPECT_EQ(payload.Slice((5121ull << 20) - 1, UINT64_MAX).size(), 1u);
}

// What a release callback has done, for tests that wait for it.
struct Release {
  Latch ran;
  std::atomic<int> count = 0;

  absl::AnyInvocable<void()> Callback() {
    return [this] {
      ++count;
      ran.CountDown();
    };
  }
};

TEST(FromExternalTest, ReleasedOnceAfterTheLastHandle) {
  Release release;
  const std::string bytes = "external";
  {
    const Payload payload = Payload::FromExternal(bytes.data(), bytes.size(), release.Callback());
    const Payload copy = payload;
    Payload slice = payload.Slice(2, 3);
    EXPECT_EQ(slice.spans()[0].data(), bytes.data() + 2);
    const Payload moved = std::move(slice);
    EXPECT_EQ(release.count, 0);
  }
  release.ran.Wait();
  EXPECT_EQ(release.count, 1);
}

TEST(FromExternalTest, NothingIsReleasedToo) {
  Release release;
  EXPECT_EQ(Payload::FromExternal(nullptr, 0, release.Callback()).size(), 0u);
  release.ran.Wait();
  EXPECT_EQ(release.count, 1);
  EXPECT_EQ(Payload::FromExternal(nullptr, 0, nullptr).size(), 0u);
}

TEST(FromExternalTest, ReleaseNeverRunsInsideTheCallThatDroppedTheHandle) {
  // It takes a lock that is held while the handle goes: run inside, it would never return.
  base::Mutex mutex;
  Latch ran;
  Payload payload = Payload::FromExternal("x", 1, [&] {
    { base::MutexLock lock(mutex); }
    ran.CountDown();
  });
  {
    base::MutexLock lock(mutex);
    payload = Payload();
  }
  ran.Wait();
}

TEST(FromExternalTest, AHandleDroppedOnTheExecutorIsReleasedThereToo) {
  Release release;
  Latch dropped;
  Payload payload = Payload::FromExternal("x", 1, release.Callback());
  DefaultExecutor().Run([&, payload = std::move(payload)]() mutable {
    payload = Payload();
    dropped.CountDown();
  });
  dropped.Wait();
  release.ran.Wait();
  EXPECT_EQ(release.count, 1);
}

TEST(CordTest, RoundTripCopiesNothing) {
  Release release;
  const std::string bytes(100'000, 'c');
  {
    Payload payload = Payload::FromExternal(bytes.data(), bytes.size(), release.Callback());
    const absl::Cord cord = payload.ToCord();
    payload = Payload();
    ASSERT_EQ(cord.size(), bytes.size());
    EXPECT_EQ((*cord.chunk_begin()).data(), bytes.data());
    const Payload again = Payload::FromCord(cord);
    ASSERT_EQ(again.spans().size(), 1u);
    EXPECT_EQ(again.spans()[0].data(), bytes.data());
    EXPECT_EQ(release.count, 0);
  }
  release.ran.Wait();
  EXPECT_EQ(release.count, 1);
}

TEST(CordTest, ManySpansKeepTheirOrder) {
  const Payload payload = Spans({"abc", "d", "efg"});
  EXPECT_EQ(payload.ToCord(), "abcdefg");
}

TEST(CordTest, ShortAndFragmentedCords) {
  EXPECT_EQ(Payload::FromCord(absl::Cord()).size(), 0u);
  EXPECT_EQ(Text(Payload::FromCord(absl::Cord("short"))), "short");
  absl::Cord cord;
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    const std::string piece(1000, static_cast<char>('a' + i % 26));
    const auto owner = std::make_shared<const std::string>(piece);
    cord.Append(absl::MakeCordFromExternal(*owner, [owner](absl::string_view) {}));
    expected += piece;
  }
  const Payload payload = Payload::FromCord(cord);
  cord.Clear();
  EXPECT_EQ(payload.spans().size(), 50u);
  EXPECT_EQ(Text(payload), expected);
}

TEST(DetachTest, CopiesAndKeepsNothing) {
  std::vector<std::weak_ptr<const void>> owners;
  Payload payload = Spans({"abc", std::string(3 << 20, 'x'), "def"}, &owners);
  const std::string expected = Text(payload);
  const Payload copy = payload.Detach();
  payload = Payload();
  for (const auto& owner : owners) EXPECT_TRUE(owner.expired());
  EXPECT_EQ(Text(copy), expected);
  for (absl::Span<const char> span : copy.spans()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(span.data()) % 4096, 0u);
  }
}

}  // namespace
}  // namespace pagewire
