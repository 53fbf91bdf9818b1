// SendCredit and ReceiveCredit against each other: any order of starts, grants, withdrawals and ends, with frames under
// way in both directions, and a simple oracle.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "payload/budget.h"
#include "transport/receive_credit.h"
#include "transport/send_credit.h"

namespace pagewire::transport {
namespace {

constexpr uint64_t kFloat = 1000;
constexpr uint64_t kBusyFloat = 4000;
constexpr uint64_t kInitialCallLimit = 300;
constexpr uint64_t kCalls = 6;

class CreditModel {
 public:
  explicit CreditModel(uint64_t seed)
      : random_(seed),
        budget_("model", 1 << 20, ""),
        sender_(kFloat, kInitialCallLimit),
        receiver_(budget_.Overdraw(kFloat, "credit")) {
    for (uint64_t id = 1; id <= kCalls; ++id) OpenCall();
  }

  void Step() {
    switch (random_() % 6) {
      case 0:
        StartItem();
        break;
      case 1:
        Withdraw();
        break;
      case 2:
        DeliverToReceiver();
        break;
      case 3:
        DeliverToSender();
        break;
      case 4:
        Grant();
        break;
      case 5:
        EndItem();
        break;
    }
    CheckAlways();
  }

  // Everything under way arrives, every item ends.
  void Settle() {
    while (!to_receiver_.empty() || !to_sender_.empty() || !requests_.empty() || !items_.empty()) {
      DeliverToReceiver();
      DeliverToSender();
      Grant();
      EndItem();
      CheckAlways();
    }
    Announce();
    while (!to_sender_.empty()) DeliverToSender();
  }

  // Both ends mean the same, to the byte.
  void CheckAgreement() {
    ASSERT_EQ(sender_.connection_limit(), receiver_.connection_limit());
    ASSERT_EQ(sender_.connection_available(), receiver_.float_bytes());
    ASSERT_EQ(budget_.reserved(), receiver_.float_bytes());
    for (auto& [id, call] : calls_) {
      if (call.over) continue;
      const uint64_t free = std::min(call.credit.limit - call.credit.started, sender_.connection_available());
      EXPECT_FALSE(sender_.TryTake(id, free + 1)) << "call " << id;
      EXPECT_TRUE(sender_.TryTake(id, free)) << "call " << id;
    }
  }

 private:
  struct Call {
    ReceiveCredit::Call credit{kInitialCallLimit};
    bool busy = false;                  // the sender has an item under way: one at a time
    bool over = false;                  // its item was withdrawn, and nothing follows
    std::optional<uint64_t> announced;  // it waits for a grant
  };
  struct Start {
    uint64_t call_id;
    uint64_t bytes;
    bool covered;
  };
  struct Withdrawal {
    uint64_t call_id;
  };
  struct ToReceiver {
    std::optional<Start> start;
    std::optional<Withdrawal> withdrawal;
  };
  struct ToSender {
    uint64_t connection_limit;
    uint64_t call_id;
    uint64_t call_limit;
  };
  struct Item {
    uint64_t call_id;
    std::optional<memory::Reservation> backing;  // from the float; none if granted by name
  };

  void OpenCall() { calls_.try_emplace(++last_call_); }

  std::pair<const uint64_t, Call>& RandomCall() {
    return *std::next(calls_.begin(), static_cast<std::ptrdiff_t>(random_() % calls_.size()));
  }

  uint64_t RandomSize() {
    constexpr uint64_t kSizes[] = {0, 1, 10, 100, kInitialCallLimit, kFloat - 1, kFloat, kFloat + 1, 5000};
    return kSizes[random_() % std::size(kSizes)];
  }

  void StartItem() {
    auto& [id, call] = RandomCall();
    if (call.busy || call.over) return;
    call.busy = true;
    const uint64_t bytes = RandomSize();
    const bool covered = sender_.TryTake(id, bytes);
    if (!covered) {
      sender_.Wait(id, bytes);
      call.announced = bytes;
    }
    to_receiver_.push_back({Start{id, bytes, covered}, std::nullopt});
  }

  void Withdraw() {
    auto& [id, call] = RandomCall();
    if (!call.announced.has_value()) return;
    call.announced.reset();
    call.over = true;
    sender_.StopWaiting(id);
    if (random_() % 2 == 0) sender_.Forget(id);
    to_receiver_.push_back({std::nullopt, Withdrawal{id}});
    OpenCall();
  }

  void DeliverToReceiver() {
    if (to_receiver_.empty()) return;
    const ToReceiver frame = to_receiver_.front();
    to_receiver_.pop_front();
    if (frame.withdrawal.has_value()) {
      // It ends the item, granted or not; nothing is given back.
      const uint64_t id = frame.withdrawal->call_id;
      std::erase_if(requests_, [id](const Start& request) { return request.call_id == id; });
      std::erase_if(items_, [id](const Item& item) { return item.call_id == id; });
      return;
    }
    const Start& start = *frame.start;
    if (!start.covered) {
      requests_.push_back(start);
      return;
    }
    std::optional<memory::Reservation> backing = receiver_.Start(&calls_.at(start.call_id).credit, start.bytes);
    ASSERT_TRUE(backing.has_value()) << "the sender claimed " << start.bytes << " bytes that it did not have";
    ASSERT_EQ(backing->bytes(), start.bytes);
    items_.push_back({start.call_id, std::move(backing)});
  }

  void Grant() {
    if (requests_.empty()) return;
    const auto it = requests_.begin() + static_cast<std::ptrdiff_t>(random_() % requests_.size());
    const Start request = *it;
    requests_.erase(it);
    Announce();
    Call& call = calls_.at(request.call_id);
    receiver_.Grant(call.credit, request.bytes);
    receiver_.SetAnnounced();
    to_sender_.push_back({receiver_.connection_limit(), request.call_id, call.credit.limit});
    items_.push_back({request.call_id, std::nullopt});
  }

  void Announce() {
    if (receiver_.unannounced() == 0) return;
    receiver_.SetAnnounced();
    to_sender_.push_back({receiver_.connection_limit(), 0, 0});
  }

  void DeliverToSender() {
    if (to_sender_.empty()) return;
    const ToSender frame = to_sender_.front();
    to_sender_.pop_front();
    const bool started = sender_.OnGrant(frame.connection_limit, frame.call_id, frame.call_limit);
    if (frame.call_id == 0) {
      ASSERT_FALSE(started);
    } else {
      // Its item starts unless it was withdrawn meanwhile.
      Call& call = calls_.at(frame.call_id);
      ASSERT_EQ(started, call.announced.has_value());
      call.announced.reset();
    }
    // What is repeated, or comes late, changes nothing.
    const uint64_t available = sender_.connection_available();
    ASSERT_FALSE(sender_.OnGrant(frame.connection_limit, frame.call_id, frame.call_limit));
    ASSERT_FALSE(sender_.OnGrant(kFloat, frame.call_id, 1));
    ASSERT_EQ(sender_.connection_available(), available);
  }

  // An item ends at the receiver: all its bytes came, or the rest never will. The sender knew before.
  void EndItem() {
    if (items_.empty()) return;
    const auto it = items_.begin() + static_cast<std::ptrdiff_t>(random_() % items_.size());
    const uint64_t id = it->call_id;
    if (calls_.at(id).announced.has_value()) return;  // its grant is under way
    for (const ToReceiver& frame : to_receiver_) {
      if (frame.withdrawal.has_value() && frame.withdrawal->call_id == id) return;
    }
    if (it->backing.has_value()) receiver_.Refill(*std::move(it->backing), kBusyFloat);
    items_.erase(it);
    calls_.at(id).busy = false;
    if (receiver_.unannounced() >= kFloat / 2) Announce();
    if (receiver_.float_bytes() < kFloat && random_() % 2 == 0) {
      receiver_.Refill(budget_.Overdraw(kFloat, "credit"), kFloat);
    }
  }

  // At any moment: what the sender may start, what it has started, and what it was not told yet make up the float, and
  // the float is backed byte for byte.
  void CheckAlways() {
    uint64_t started = 0;
    for (const ToReceiver& frame : to_receiver_) {
      if (frame.start.has_value() && frame.start->covered) started += frame.start->bytes;
    }
    uint64_t raised = 0;  // under way, for nobody in particular
    uint64_t limit = sender_.connection_limit();
    for (const ToSender& frame : to_sender_) {
      if (frame.call_id == 0) raised += frame.connection_limit - limit;
      limit = frame.connection_limit;
    }
    ASSERT_EQ(sender_.connection_available() + started + raised + receiver_.unannounced(), receiver_.float_bytes());
    uint64_t backed = receiver_.float_bytes();
    for (const Item& item : items_) backed += item.backing.has_value() ? item.backing->bytes() : 0;
    ASSERT_EQ(budget_.reserved(), backed);
    for (const auto& [id, call] : calls_) ASSERT_LE(call.credit.started, call.credit.limit) << "call " << id;
  }

  std::mt19937_64 random_;
  memory::Budget budget_;
  SendCredit sender_;
  ReceiveCredit receiver_;
  uint64_t last_call_ = 0;
  std::map<uint64_t, Call> calls_;
  std::deque<ToReceiver> to_receiver_;
  std::deque<ToSender> to_sender_;
  std::vector<Start> requests_;  // at the receiver, not granted yet
  std::vector<Item> items_;      // in progress at the receiver
};

TEST(CreditModelTest, BothEndsAlwaysAgree) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    CreditModel model(seed);
    for (int step = 0; step < 400; ++step) {
      model.Step();
      if (testing::Test::HasFatalFailure()) return;
    }
    model.Settle();
    if (testing::Test::HasFatalFailure()) return;
    model.CheckAgreement();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(CreditModelTest, ADeadConnectionKeepsNothing) {
  memory::Budget budget("model", 10'000, "");
  {
    ReceiveCredit receiver(budget.Overdraw(kFloat, "credit"));
    ReceiveCredit::Call call(kInitialCallLimit);
    const std::optional<memory::Reservation> item = receiver.Start(&call, 200);
    receiver.Grant(call, 5000);
    EXPECT_EQ(budget.reserved(), kFloat);
  }
  EXPECT_EQ(budget.reserved(), 0u);
}

}  // namespace
}  // namespace pagewire::transport
