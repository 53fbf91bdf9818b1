#include "client/retry.h"

#include <gtest/gtest.h>

namespace pagewire::client {
namespace {

using absl::StatusCode;

class RetryTest : public ::testing::Test {
 protected:
  RetryTest() {
    policy_.max_attempts = 4;
    policy_.initial_backoff = absl::Milliseconds(100);
    policy_.max_backoff = absl::Milliseconds(250);
    policy_.backoff_multiplier = 2;
    policy_.codes = {StatusCode::kUnavailable, StatusCode::kAborted};
  }

  RetryState Make(bool idempotent = true, const RetryPolicy* policy = nullptr) {
    return RetryState(policy != nullptr ? policy : &policy_, throttle_, idempotent, [] { return 0.5; });
  }

  static Failure Of(StatusCode code, bool not_started = false) {
    Failure failure;
    failure.code = code;
    failure.not_started = not_started;
    failure.left = absl::InfiniteDuration();
    return failure;
  }

  RetryPolicy policy_;
  RetryThrottle* throttle_ = nullptr;
};

TEST_F(RetryTest, DelaysGrowUpToTheLongestAndAttemptsEnd) {
  RetryState state = Make();
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kUnavailable)), absl::Milliseconds(50));
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kAborted)), absl::Milliseconds(100));
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kUnavailable)), absl::Milliseconds(125));
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kUnavailable)), std::nullopt) << "four attempts were made";
}

TEST_F(RetryTest, OtherCodesAreFinal) {
  RetryState state = Make();
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kInternal)), std::nullopt);
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kDeadlineExceeded, /*not_started=*/true)), std::nullopt);
}

TEST_F(RetryTest, WhatMayHaveRunIsOnlyMadeAgainIfThatDoesNoHarm) {
  RetryState state = Make(/*idempotent=*/false);
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kUnavailable, /*not_started=*/true)), absl::Milliseconds(50));
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kUnavailable)), std::nullopt);
}

TEST_F(RetryTest, GprcsLimitHoldsWhateverThePolicySays) {
  policy_.max_attempts = 1000;
  RetryState state = Make();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(state.OnFailure(Of(StatusCode::kUnavailable)).has_value());
  EXPECT_EQ(state.OnFailure(Of(StatusCode::kUnavailable)), std::nullopt);
}

TEST_F(RetryTest, NoAttemptAfterTheDeadline) {
  RetryState state = Make();
  Failure failure = Of(StatusCode::kUnavailable);
  failure.left = absl::Milliseconds(51);
  EXPECT_EQ(state.OnFailure(failure), absl::Milliseconds(50));
  failure.left = absl::Milliseconds(100);
  EXPECT_EQ(state.OnFailure(failure), std::nullopt);
}

TEST_F(RetryTest, WhatNobodyHeardOfMovesOnAtOnceWithoutAPolicy) {
  RetryState state(nullptr, nullptr, /*idempotent=*/false, [] { return 0.5; });
  Failure failure = Of(StatusCode::kUnavailable, /*not_started=*/true);
  EXPECT_EQ(state.OnFailure(failure), std::nullopt) << "there is nobody else";
  failure.others_ready = true;
  for (uint32_t i = 0; i < kMostMoves; ++i) EXPECT_EQ(state.OnFailure(failure), absl::ZeroDuration());
  EXPECT_EQ(state.OnFailure(failure), std::nullopt) << "it ends";
  failure.not_started = false;
  RetryState started(nullptr, nullptr, /*idempotent=*/true, [] { return 0.5; });
  EXPECT_EQ(started.OnFailure(failure), std::nullopt) << "that takes a policy";
}

TEST_F(RetryTest, MovesAreNoAttempts) {
  RetryState state = Make();
  Failure failure = Of(StatusCode::kUnavailable, /*not_started=*/true);
  failure.others_ready = true;
  for (uint32_t i = 0; i < kMostMoves; ++i) EXPECT_EQ(state.OnFailure(failure), absl::ZeroDuration());
  EXPECT_EQ(state.OnFailure(failure), absl::Milliseconds(50));
}

TEST_F(RetryTest, AServerInTroubleIsNotAskedForMore) {
  RetryThrottle throttle(/*max_tokens=*/4, /*token_ratio=*/0.5);
  throttle_ = &throttle;
  EXPECT_TRUE(Make().OnFailure(Of(StatusCode::kUnavailable)).has_value());  // 3 tokens are left
  EXPECT_FALSE(Make().OnFailure(Of(StatusCode::kUnavailable)).has_value()) << "2 of 4 are half";
  EXPECT_FALSE(Make().OnFailure(Of(StatusCode::kInternal)).has_value());  // takes none
  Make().OnSuccess();
  Make().OnSuccess();
  Make().OnSuccess();                                                       // 3.5
  EXPECT_TRUE(Make().OnFailure(Of(StatusCode::kUnavailable)).has_value());  // 2.5
  for (int i = 0; i < 100; ++i) Make().OnSuccess();
  EXPECT_TRUE(Make().OnFailure(Of(StatusCode::kUnavailable)).has_value()) << "no more than 4 are kept";
  EXPECT_FALSE(Make().OnFailure(Of(StatusCode::kUnavailable)).has_value());
}

}  // namespace
}  // namespace pagewire::client
