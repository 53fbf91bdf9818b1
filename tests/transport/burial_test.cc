#include "transport/burial.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "transport/lent_memory.h"
#include "transport/manual_loop.h"
#include "transport/stub_stream.h"

namespace pagewire::transport::testing {
namespace {

// Where the kernel lets go when the test says so.
struct Kernel {
  std::vector<Released> released;
  size_t unreleased = 0;
  bool detached = false;
  bool aborted = false;
  bool destroyed = false;
};

class HeldStream final : public StubStream {
 public:
  explicit HeldStream(Kernel& kernel) : kernel_(kernel) {}
  ~HeldStream() override { kernel_.destroyed = true; }
  void Detach() override { kernel_.detached = true; }
  void TakeReleased(std::vector<Released>& released) override {
    kernel_.unreleased -= kernel_.released.size();
    released.insert(released.end(), kernel_.released.begin(), kernel_.released.end());
    kernel_.released.clear();
  }
  size_t unreleased() const override { return kernel_.unreleased; }
  void Abort() override { kernel_.aborted = true; }

 private:
  Kernel& kernel_;
};

class BurialTest : public ::testing::Test {
 protected:
  // A dead connection with one chunk of which the kernel has `references`.
  void Die(int references) {
    AckLedger ledger;
    const auto id = ledger.Add({SendPath::kZerocopy, lent_.Lend(), 1, 8192, 8192, nullptr});
    for (int i = 0; i < references; ++i) ledger.OnReference(id);
    kernel_.unreleased = references;
    ledger.OnDead();
    Bury(loop_, std::make_unique<HeldStream>(kernel_), std::move(ledger));
  }

  void LetGo() { kernel_.released.push_back({1, 4096, false}); }

  Kernel kernel_;
  LentMemory lent_{8192};
  ManualLoop loop_;
};

TEST_F(BurialTest, WithoutReferencesAllIsOverAtOnce) {
  Die(0);
  EXPECT_TRUE(kernel_.destroyed);
  EXPECT_FALSE(kernel_.aborted) << "what was written still goes out";
  EXPECT_EQ(QuarantinedBytes(), 0u);
  lent_.AwaitReturn();
}

TEST_F(BurialTest, TheBufferWaitsForTheLastReference) {
  Die(2);
  EXPECT_TRUE(kernel_.detached);
  EXPECT_EQ(QuarantinedBytes(), 8192u);
  LetGo();
  loop_.AdvanceTime(absl::Milliseconds(100));
  EXPECT_FALSE(kernel_.destroyed);
  EXPECT_EQ(lent_.returned(), 0);
  EXPECT_EQ(QuarantinedBytes(), 8192u);
  LetGo();
  loop_.AdvanceTime(absl::Milliseconds(200));
  EXPECT_TRUE(kernel_.destroyed);
  EXPECT_FALSE(kernel_.aborted);
  EXPECT_EQ(QuarantinedBytes(), 0u);
  lent_.AwaitReturn();
}

TEST_F(BurialTest, AfterASecondTheConnectionIsAbortedAndStillNothingIsFree) {
  Die(1);
  loop_.AdvanceTime(absl::Milliseconds(900));
  EXPECT_FALSE(kernel_.aborted);
  loop_.AdvanceTime(absl::Seconds(2));
  EXPECT_TRUE(kernel_.aborted);
  loop_.AdvanceTime(absl::Hours(1));
  EXPECT_EQ(lent_.returned(), 0) << "no time frees what the kernel may look at";
  EXPECT_EQ(QuarantinedBytes(), 8192u);
  LetGo();
  loop_.AdvanceTime(absl::Seconds(2));
  EXPECT_TRUE(kernel_.destroyed);
  EXPECT_EQ(QuarantinedBytes(), 0u);
  lent_.AwaitReturn();
}

}  // namespace
}  // namespace pagewire::transport::testing
