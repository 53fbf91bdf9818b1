// What a loop that does not get on leaves of the answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "admin_service/admin_client.h"
#include "admin_service/page.h"
#include "base/coarse_clock.h"
#include "base/latch.h"
#include "call/directory.h"
#include "transport/loop_pool.h"
#include "transport/manual_loop.h"

namespace pagewire::admin_service {
namespace {

using Ids = std::vector<uint64_t>;

class Subject final : public call::Inspected {
 public:
  bool Describe(call::ConnectionView&) const override { return true; }
  void DescribeCalls(uint64_t, absl::Time, size_t, std::vector<call::CallView>& calls) const override {
    calls.emplace_back().place.call = 1;
    calls.back().method = "/subject";
    calls.back().began = base::CoarseNow();
  }
};

struct ListedSubject {
  explicit ListedSubject(transport::Loop& loop) : listing(&loop, subject) {}
  const std::shared_ptr<Subject> subject = std::make_shared<Subject>();
  const call::Listing listing;
};

class StuckLoopTest : public ::testing::Test {
 protected:
  struct Seen {
    Ids shown, unanswered;  // in the order of the answers
  };

  // Reads a list to its end; `ids` are those of the connections that an answer shows something of.
  template <typename Request, typename Ask, typename IdsIn>
  Seen ReadAll(Ask ask, IdsIn ids) {
    Seen seen;
    Request request;
    request.mutable_page()->set_limit(kMaxLimit);
    for (bool more = true; more;) {
      ClientContext context;
      const auto response = ask(context, request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) return seen;
      for (const uint64_t id : ids(*response)) seen.shown.push_back(id);
      EXPECT_LE(static_cast<size_t>(response->unanswered_size()), kMaxUnanswered);
      seen.unanswered.insert(seen.unanswered.end(), response->unanswered().begin(), response->unanswered().end());
      more = response->has_next();
      *request.mutable_page()->mutable_after() = response->next();
    }
    return seen;
  }

  Seen ReadConnections() {
    return ReadAll<admin::v1::ListConnectionsRequest>(
        [&](ClientContext& context, const auto& request) { return admin_.stub().ListConnections(context, request); },
        [](const admin::v1::ListConnectionsResponse& response) {
          Ids ids;
          for (const Connection& connection : response.connections()) ids.push_back(connection.id());
          return ids;
        });
  }

  Seen ReadCalls() {
    return ReadAll<admin::v1::ListCallsRequest>(
        [&](ClientContext& context, const auto& request) { return admin_.stub().ListCalls(context, request); },
        [](const admin::v1::ListCallsResponse& response) {
          Ids ids;
          for (const Call& call : response.calls()) {
            if (call.method() == "/subject") ids.push_back(call.connection());
          }
          return ids;
        });
  }

  static bool Contains(const Ids& ids, uint64_t id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

  // As many questions as take the service's threads half a minute, one after the other.
  struct Questions {
    static constexpr int kCount = 60;
    testing::Latch ended{kCount};
    std::atomic<int> answered = 0;
    std::vector<std::unique_ptr<ClientContext>> contexts;
  };
  void Ask(Questions& questions) {
    for (int i = 0; i < Questions::kCount; ++i) {
      questions.contexts.push_back(std::make_unique<ClientContext>());
      admin_.stub().Callback().ListConnections(*questions.contexts.back(), {}, [&](auto response) {
        questions.answered += response.ok() ? 1 : 0;
        questions.ended.CountDown();
      });
    }
  }
  static void Cancel(Questions& questions) {
    for (const auto& context : questions.contexts) context->TryCancel();
    questions.ended.Wait();
  }

  // Its thread is the test's, which does not run it. It outlives the service.
  transport::ManualLoop stuck_;
  AdminClient admin_;
};

TEST_F(StuckLoopTest, WhatOthersHaveIsShownAndEachOfItsOwnNamedOnce) {
  constexpr size_t kEach = 1100;  // more than an answer names, and than are listed at a time
  static_assert(kEach > kMaxUnanswered);
  std::vector<std::unique_ptr<ListedSubject>> subjects;
  Ids stuck, others;
  for (size_t i = 0; i < kEach; ++i) {
    subjects.push_back(std::make_unique<ListedSubject>(stuck_));
    stuck.push_back(subjects.back()->listing.id());
    subjects.push_back(std::make_unique<ListedSubject>(transport::LoopPool::Default().Next()));
    others.push_back(subjects.back()->listing.id());
  }
  for (const bool calls : {false, true}) {
    Seen seen;
    do {  // one of the others may be late, too, on a busy machine
      seen = calls ? ReadCalls() : ReadConnections();
    } while (std::any_of(seen.unanswered.begin(), seen.unanswered.end(),
                         [&](uint64_t id) { return !std::binary_search(stuck.begin(), stuck.end(), id); }));
    EXPECT_EQ(seen.unanswered, stuck) << (calls ? "calls" : "connections");
    EXPECT_TRUE(std::is_sorted(seen.shown.begin(), seen.shown.end()));
    EXPECT_TRUE(std::includes(seen.shown.begin(), seen.shown.end(), others.begin(), others.end()))
        << (calls ? "calls" : "connections");
  }
}

TEST_F(StuckLoopTest, BudgetsAndHoldersAreListedMeanwhile) {
  ListedSubject subject(stuck_);
  Questions questions;
  Ask(questions);
  ClientContext contexts[2];
  EXPECT_TRUE(admin_.stub().ListBudgets(contexts[0], {}).ok());
  EXPECT_TRUE(admin_.stub().ListHolders(contexts[1], {}).ok());
  EXPECT_LT(questions.answered, Questions::kCount) << "they did not wait for their turn behind these";
  Cancel(questions);
}

TEST_F(StuckLoopTest, NoLoopIsAskedForWhoDoesNotWaitAnyMore) {
  ListedSubject subject(stuck_);
  Questions questions;
  Ask(questions);
  Cancel(questions);
  ClientContext context;
  const auto response = admin_.stub().ListConnections(context, {});  // its turn is after theirs
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(Contains({response->unanswered().begin(), response->unanswered().end()}, subject.listing.id()));
  EXPECT_LT(stuck_.RunUntilIdle(), static_cast<size_t>(Questions::kCount));
}

TEST_F(StuckLoopTest, ItKeepsNothingOfWhatItWasAsked) {
  ListedSubject subject(stuck_);
  ClientContext context;
  ASSERT_TRUE(admin_.stub().ListConnections(context, {}).ok());
  const auto listed = call::Directory::Process().List(subject.listing.id() - 1, 1).at(0);
  ASSERT_EQ(listed->id, subject.listing.id());
  Await([&] { return listed.use_count() == 3; });  // the directory's, the listing's and this one
  EXPECT_EQ(stuck_.RunUntilIdle(), 1u);
}

}  // namespace
}  // namespace pagewire::admin_service
