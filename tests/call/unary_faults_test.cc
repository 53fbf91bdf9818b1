// Unary calls over streams that misbehave: whatever happens, every call ends, no byte is wrong, and everything that was
// lent or reserved comes back.
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "call/connections.h"
#include "transport/fault_stream.h"
#include "transport/lent_memory.h"

namespace pagewire::call::testing {
namespace {

using transport::FaultPlan;
using transport::FaultStream;
using transport::testing::Flat;
using transport::testing::LentMemory;

// One workload over one pair of streams; everything follows from the seed.
class FaultyRun {
 public:
  FaultyRun(uint64_t seed, bool reset) : random_(seed) {
    handlers_.answer = FakeHandlers::Echo;
    auto [client_stream, server_stream] =
        transport::MakeInProcessPair(loop_, loop_, {.buffer_bytes = size_t{1} << Between(8, 18)});
    transport::SessionOptions client_options = TestOptions(true, 8 << 20);
    transport::SessionOptions server_options = TestOptions(false, 8 << 20);
    client_budget_ = client_options.held_budget;
    server_budget_ = server_options.held_budget;
    server_ = std::make_unique<ServerEnd>(loop_, Faulty(std::move(server_stream), false), handlers_,
                                          std::move(server_options));
    client_ = std::make_unique<ClientEnd>(loop_, Faulty(std::move(client_stream), reset), std::move(client_options));
  }

  void Run() {
    constexpr uint64_t kSizes[] = {0, 1, 4095, 4096, 4097, 30'000, 65'536, 300'001, 2'000'000};
    for (int i = 0; i < 12 && !client_->closed().has_value(); ++i) {
      const uint64_t size = kSizes[random_() % std::size(kSizes)];
      lent_.push_back(std::make_unique<LentMemory>(size));
      Payload payload = size > 0 ? lent_.back()->Lend() : Payload();
      const absl::Duration timeout = random_() % 4 == 0 ? absl::Milliseconds(50 + Between(1, 50)) : absl::Seconds(3600);
      messages_.push_back(transport::testing::Pattern(random_() % 100'000, static_cast<uint32_t>(i)));
      calls_.push_back(client_->Start(kSwap, messages_.back(), std::move(payload), timeout));
      if (random_() % 6 == 0) calls_.back()->call->Cancel(absl::CancelledError("by the test"));
      if (random_() % 3 == 0) loop_.AdvanceTime(absl::Milliseconds(Between(0, 3)));
    }
    loop_.AdvanceTime(absl::Minutes(5));
  }

  void Check(bool reset) {
    size_t good = 0;
    for (size_t i = 0; i < calls_.size(); ++i) {
      SCOPED_TRACE(absl::StrCat("call ", i + 1));
      ASSERT_EQ(calls_[i]->results, 1);
      const UnaryResult& result = *calls_[i]->result;
      switch (result.outcome.status.code()) {
        case absl::StatusCode::kOk:
          ++good;
          EXPECT_TRUE(result.message == messages_[i]);
          EXPECT_TRUE(Flat(result.payload) == lent_[i]->bytes());
          break;
        case absl::StatusCode::kCancelled:
        case absl::StatusCode::kDeadlineExceeded:
          break;
        default:
          EXPECT_TRUE(reset) << result.outcome.status;
          EXPECT_EQ(result.outcome.status.code(), absl::StatusCode::kUnavailable);
      }
    }
    if (!reset) {
      EXPECT_FALSE(client_->closed().has_value()) << *client_->closed();
      EXPECT_GT(good, 0u);
    }
    calls_.clear();
    for (const auto& lent : lent_) {
      if (lent->bytes().empty()) continue;
      lent->AwaitReturn();
      EXPECT_EQ(lent->returned(), 1);
    }
    EXPECT_EQ(client_budget_->reserved(), 0u);
    EXPECT_EQ(server_budget_->reserved(), 0u);
  }

 private:
  int Between(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  std::unique_ptr<transport::ByteStream> Faulty(std::unique_ptr<transport::ByteStream> stream, bool reset) {
    FaultPlan plan;
    plan.seed = random_();
    plan.short_read = 0.1 * Between(0, 9);
    plan.short_write = 0.1 * Between(0, 9);
    plan.blocked = 0.1 * Between(0, 5);
    plan.longest_delay = absl::Microseconds(100);
    if (reset) plan.reset_after_bytes = uint64_t{1} << Between(0, 22);
    return std::make_unique<FaultStream>(std::move(stream), loop_, plan);
  }

  std::mt19937_64 random_;
  ManualLoop loop_;
  FakeHandlers handlers_;
  std::shared_ptr<memory::Budget> client_budget_;
  std::shared_ptr<memory::Budget> server_budget_;
  std::vector<std::unique_ptr<LentMemory>> lent_;
  std::vector<std::string> messages_;
  std::vector<std::shared_ptr<ClientEnd::Outcome>> calls_;
  std::unique_ptr<ServerEnd> server_;
  std::unique_ptr<ClientEnd> client_;
};

// PAGEWIRE_FAULT_SEED repeats one run.
class UnaryFaultsTest : public ::testing::TestWithParam<bool> {};

TEST_P(UnaryFaultsTest, EveryCallEndsAndNoByteIsWrong) {
  const uint64_t credit_before = memory::ConnectionCreditBudget().reserved();
  const char* only = std::getenv("PAGEWIRE_FAULT_SEED");
  const uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const uint64_t last = only != nullptr ? first : 60;
  for (uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(absl::StrCat("PAGEWIRE_FAULT_SEED=", seed));
    {
      FaultyRun run(seed, GetParam());
      run.Run();
      run.Check(GetParam());
    }
    EXPECT_EQ(memory::ConnectionCreditBudget().reserved(), credit_before);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(All, UnaryFaultsTest, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "WithResets" : "WithoutResets"; });

}  // namespace
}  // namespace pagewire::call::testing
