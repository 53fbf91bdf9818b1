#include "call/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "transport/loop_pool.h"
#include "transport/manual_loop.h"

namespace pagewire::call {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using transport::Loop;
using transport::ManualLoop;

class Subject final : public Inspected {
 public:
  bool Describe(ConnectionView&) const override { return true; }
  void DescribeCalls(uint64_t, absl::Time, size_t, std::vector<CallView>&) const override {}
};

class SurveyTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Listed> List(uint64_t id, Loop* loop) {
    subjects_.push_back(std::make_shared<Subject>());
    return std::make_shared<const Listed>(Listed{id, loop, subjects_.back()});
  }

  Findings<ConnectionView> Ask(const std::vector<std::shared_ptr<const Listed>>& listed, SurveyBounds bounds) {
    return Survey<ConnectionView>(
        listed,
        [this](const Inspected&, uint64_t id, std::vector<ConnectionView>& views) {
          ++asked_;
          on_loop_ = Loop::OnAnyLoop();
          views.emplace_back().id = id;
        },
        bounds);
  }

  static std::vector<uint64_t> IdsOf(const Findings<ConnectionView>& findings) {
    std::vector<uint64_t> ids;
    for (const ConnectionView& view : findings.views) ids.push_back(view.id);
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  std::vector<std::shared_ptr<Subject>> subjects_;
  std::atomic<int> asked_ = 0;
  std::atomic<bool> on_loop_ = false;
};

constexpr SurveyBounds kAll = {1000, absl::InfiniteDuration()};

TEST_F(SurveyTest, EachIsAskedOnItsLoop) {
  Loop& one = transport::LoopPool::Default().Next();
  Loop& other = transport::LoopPool::Default().Next();
  const Findings<ConnectionView> found = Ask({List(1, &one), List(2, &other), List(3, &one)}, kAll);
  EXPECT_THAT(IdsOf(found), ElementsAre(1, 2, 3));
  EXPECT_THAT(found.unanswered, IsEmpty());
  EXPECT_TRUE(on_loop_);
}

TEST_F(SurveyTest, WhatHasNoLoopIsAskedHere) {
  const Findings<ConnectionView> found = Ask({List(1, nullptr)}, kAll);
  EXPECT_THAT(IdsOf(found), ElementsAre(1));
  EXPECT_FALSE(on_loop_);
}

TEST_F(SurveyTest, WhatIsGoneHasNothingToSay) {
  Loop& loop = transport::LoopPool::Default().Next();
  std::vector<std::shared_ptr<const Listed>> listed = {List(1, &loop), List(2, &loop), List(3, nullptr)};
  subjects_[0].reset();
  subjects_[2].reset();
  const Findings<ConnectionView> found = Ask(listed, kAll);
  EXPECT_THAT(IdsOf(found), ElementsAre(2));
  EXPECT_THAT(found.unanswered, IsEmpty());
}

TEST_F(SurveyTest, NoMoreAreAskedThanAreNeeded) {
  Loop& loop = transport::LoopPool::Default().Next();
  std::vector<std::shared_ptr<const Listed>> listed;
  for (uint64_t id = 1; id <= 10; ++id) listed.push_back(List(id, &loop));
  const Findings<ConnectionView> found = Ask(listed, {3, absl::InfiniteDuration()});
  EXPECT_THAT(IdsOf(found), ElementsAre(1, 2, 3));
  EXPECT_THAT(found.unanswered, IsEmpty()) << "they were not needed";
  EXPECT_EQ(asked_, 3);
}

TEST_F(SurveyTest, ALoopThatIsStuckIsNotWaitedForAndNotAskedAfterwards) {
  ManualLoop stuck;
  Loop& loop = transport::LoopPool::Default().Next();
  std::optional<Findings<ConnectionView>> found;
  // The stuck one's thread is this one.
  std::thread asker([&] {
    found = Ask({List(1, &stuck), List(2, nullptr), List(3, &stuck)}, {1000, absl::Milliseconds(20)});
    // What loops have found until then stays: time is enough for this one.
    const Findings<ConnectionView> other = Ask({List(4, &loop)}, kAll);
    EXPECT_THAT(IdsOf(other), ElementsAre(4));
  });
  asker.join();
  EXPECT_THAT(IdsOf(*found), ElementsAre(2));
  EXPECT_THAT(found->unanswered, ElementsAre(1, 3));
  stuck.RunUntilIdle();
  EXPECT_EQ(asked_, 2);
}

TEST_F(SurveyTest, ALoopThatEndsEndsTheWait) {
  std::optional<ManualLoop> loop(std::in_place);
  std::optional<Findings<ConnectionView>> found;
  std::thread asker([&] { found = Ask({List(1, &*loop), List(2, &*loop)}, kAll); });
  while (!loop->RunOne()) std::this_thread::yield();
  loop.reset();
  asker.join();
  EXPECT_THAT(IdsOf(*found), ElementsAre(1));
  EXPECT_THAT(found->unanswered, ElementsAre(2));
  EXPECT_EQ(asked_, 1);
}

TEST(DirectoryTest, ListsWhatThereIsById) {
  Directory& directory = Directory::Process();
  const uint64_t before = [&] {
    const auto subject = std::make_shared<Subject>();
    return Listing(nullptr, subject).id();
  }();
  const auto subject = std::make_shared<Subject>();
  std::optional<Listing> one(std::in_place, nullptr, subject);
  std::optional<Listing> two(std::in_place, nullptr, subject);
  std::optional<Listing> three(std::in_place, nullptr, subject);
  EXPECT_EQ(one->id(), before + 1) << "numbers are not used again";
  two.reset();
  const auto listed = directory.List(before, 1000);
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_EQ(listed[0]->id, one->id());
  EXPECT_EQ(listed[1]->id, three->id());
  EXPECT_THAT(directory.List(before, 1), SizeIs(1));
  EXPECT_THAT(directory.List(three->id(), 1000), IsEmpty());
  EXPECT_NE(directory.NewOwner(), directory.NewOwner());
}

}  // namespace
}  // namespace pagewire::call
