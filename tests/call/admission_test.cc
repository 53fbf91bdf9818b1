#include "call/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace pagewire::call {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<Admission> Make(uint32_t max_calls, uint32_t fairness = 0) {
  return std::make_shared<Admission>(Admission::Options{.max_calls = max_calls,
                                                        .fairness = fairness,
                                                        .where = "here",
                                                        .option = "Raise::calls",
                                                        .method_option = "Raise::method"});
}

// A connection that takes all it gets.
std::vector<Place> TakeAll(Admission& admission, std::string_view method = "/s/M") {
  std::vector<Place> places;
  for (;;) {
    absl::StatusOr<Place> place = admission.Admit(method, places.size());
    if (!place.ok()) return places;
    places.push_back(*std::move(place));
  }
}

TEST(AdmissionTest, WithoutLimitsNothingIsCounted) {
  const auto admission = Make(0);
  EXPECT_EQ(*admission->Admit("/s/M", 1'000'000), nullptr);
}

TEST(AdmissionTest, PlacesComeBack) {
  const auto admission = Make(3);
  std::vector<Place> places = TakeAll(*admission);
  EXPECT_EQ(places.size(), 3u);
  EXPECT_EQ(admission->Admit("/s/M", 0).status(),
            absl::ResourceExhaustedError("/s/M: 3 calls are in flight here, which is the limit; raise Raise::calls, or "
                                         "try again later"));
  places.pop_back();
  EXPECT_TRUE(admission->Admit("/s/M", 0).ok());
}

TEST(AdmissionTest, OneConnectionLeavesPlacesForOthers) {
  const auto admission = Make(90, 8);
  const std::vector<Place> first = TakeAll(*admission);
  EXPECT_EQ(first.size(), 80u);
  const absl::Status status = admission->Admit("/s/M", first.size()).status();
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("80 calls are in flight here, 80 of them of this connection, and the last 10 places are kept for "
                "other connections"));
  std::vector<Place> second = TakeAll(*admission);
  EXPECT_EQ(second.size(), 9u) << "it is busy, too, and leaves one for a third";
  EXPECT_EQ(TakeAll(*admission).size(), 1u);
}

TEST(AdmissionTest, EquallyBusyConnectionsGetEqualShares) {
  const auto admission = Make(1000, 8);
  std::vector<std::vector<Place>> connections(10);
  // Calls come and go in turn until nothing changes any more.
  for (int round = 0; round < 2000; ++round) {
    for (std::vector<Place>& own : connections) {
      if (round % 10 == 9 && !own.empty()) own.pop_back();
      absl::StatusOr<Place> place = admission->Admit("/s/M", own.size());
      if (place.ok()) own.push_back(*std::move(place));
    }
  }
  for (const std::vector<Place>& own : connections) EXPECT_NEAR(own.size(), 98.8, 3);
}

TEST(AdmissionTest, ASmallLimitIsOfUse) {
  EXPECT_EQ(TakeAll(*Make(1, 8)).size(), 1u);
  EXPECT_EQ(TakeAll(*Make(2, 8)).size(), 2u);
}

TEST(AdmissionTest, AMethodsLimit) {
  const auto admission = Make(0);
  admission->LimitMethod("/s/Rare", 2);
  const std::vector<Place> rare = TakeAll(*admission, "/s/Rare");
  EXPECT_EQ(rare.size(), 2u);
  EXPECT_THAT(std::string(admission->Admit("/s/Rare", 0).status().message()),
              HasSubstr("2 calls are in flight here, which is the method's limit; raise Raise::method"));
  EXPECT_TRUE(admission->Admit("/s/M", 0).ok());
}

TEST(AdmissionTest, AMethodsRefusalTakesNoPlace) {
  const auto admission = Make(2);
  admission->LimitMethod("/s/None", 0);
  EXPECT_FALSE(admission->Admit("/s/None", 0).ok());
  EXPECT_EQ(TakeAll(*admission).size(), 2u);
}

TEST(AdmissionTest, FromManyThreads) {
  const auto admission = Make(5);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) admission->Admit("/s/M", 0).IgnoreError();
    });
  }
  threads.clear();
  EXPECT_EQ(TakeAll(*admission).size(), 5u);
}

TEST(AdmissionTest, APlaceMayOutliveEverything) {
  Place place = *Make(1)->Admit("/s/M", 0);
  place.reset();
}

}  // namespace
}  // namespace pagewire::call
