#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "base/latch.h"
#include "base/mutex.h"
#include "payload/budget.h"

namespace pagewire::memory {
namespace {

constexpr uint64_t kLimit = 1000;

// What reservations say, summed beside the budget: it must never be more than the limit.
class Meter {
 public:
  void Add(uint64_t bytes) {
    const uint64_t now = bytes_.fetch_add(bytes) + bytes;
    if (now > kLimit) exceeded_ = true;
  }
  void Remove(uint64_t bytes) { bytes_ -= bytes; }
  bool exceeded() const { return exceeded_; }

 private:
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<bool> exceeded_ = false;
};

TEST(BudgetThreadsTest, EveryRequestIsGrantedOnceOrWithdrawnAndTheLimitHolds) {
  Budget process("process", kLimit, "raise it");
  Budget a("a", 700, "raise it", &process);
  Budget b("b", 600, "raise it", &process);
  Meter meter;
  std::atomic<int> granted = 0;
  std::atomic<int> withdrawn = 0;
  std::atomic<int> asked = 0;

  const auto work = [&](uint32_t seed) {
    std::mt19937 random(seed);
    Budget& budget = seed % 2 == 0 ? a : b;
    for (int i = 0; i < 2000; ++i) {
      const uint64_t bytes = 1 + random() % 500;
      if (random() % 3 == 0) {
        if (auto reservation = budget.TryReserve(bytes, "try")) {
          meter.Add(bytes);
          const Reservation half = reservation->Split(bytes / 2);
          meter.Remove(bytes);
        }
        continue;
      }
      ++asked;
      const auto done = std::make_shared<testing::Latch>();
      absl::StatusOr<Ticket> ticket =
          budget.Reserve(bytes, "wait", [&, done, bytes, calls = 0](Reservation reservation) mutable {
            EXPECT_EQ(++calls, 1);
            EXPECT_EQ(reservation.bytes(), bytes);
            meter.Add(bytes);
            ++granted;
            meter.Remove(bytes);
            reservation = Reservation();
            done->CountDown();
          });
      ASSERT_TRUE(ticket.ok());
      if (random() % 4 == 0 && ticket->Withdraw()) {
        ++withdrawn;
      } else {
        done->Wait();
      }
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t seed = 0; seed < 6; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();

  EXPECT_FALSE(meter.exceeded());
  EXPECT_EQ(granted + withdrawn, asked);
  EXPECT_EQ(process.reserved(), 0u);
  EXPECT_TRUE(process.Holders().empty());
}

TEST(BudgetThreadsTest, LimitsChangeWhileInUse) {
  Budget budget("process", kLimit, "raise it");
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    std::mt19937 random(9);
    while (!stop) {
      budget.SetLimit(kLimit / 2 + random() % kLimit);
      static_cast<void>(budget.Holders());
    }
    budget.SetLimit(kLimit);
  });
  std::vector<std::thread> users;
  for (int t = 0; t < 3; ++t) {
    users.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        testing::Latch done;
        const absl::StatusOr<Ticket> ticket = budget.Reserve(400, "x", [&](Reservation reservation) {
          reservation = Reservation();
          done.CountDown();
        });
        ASSERT_TRUE(ticket.ok());
        done.Wait();
      }
    });
  }
  for (std::thread& user : users) user.join();
  stop = true;
  changer.join();
  EXPECT_EQ(budget.reserved(), 0u);
}

}  // namespace
}  // namespace pagewire::memory
