// The choice of paths on simulated costs: no clock and no network.
#include "transport/path_chooser.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <string>

#include "transport/peer_paths.h"

namespace pagewire::transport::testing {
namespace {

constexpr PathPair kCopyCopy = {SendPath::kCopy, ReceivePath::kCopy};
constexpr PathPair kCopyMap = {SendPath::kCopy, ReceivePath::kMap};
constexpr PathPair kZerocopyCopy = {SendPath::kZerocopy, ReceivePath::kCopy};
constexpr PathPair kZerocopyMap = {SendPath::kZerocopy, ReceivePath::kMap};
constexpr PathPrior kSameHost = {.same_host = true, .zerocopy = true, .map = true};
constexpr PathPrior kNetwork = {.same_host = false, .zerocopy = true, .map = true};

// ns per byte.
struct Cost {
  double elapsed = 1;
  double cpu = 1;
  bool refused = false;
  bool copied = false;
};

// A host to which payloads of 1 MB go, one after the other.
class Simulation {
 public:
  explicit Simulation(const PathPrior& prior) : prior_(prior) {}

  void Set(const PathPair& pair, Cost cost) { costs_[Index(pair)] = cost; }

  // The machine as a whole is slower or faster, and noisy: each cost times something from 1 - noise to 1 + noise.
  double slowness = 1;
  double noise = 0;

  // Sends payloads; how many of them took each pair is in `taken`.
  void Send(int payloads) {
    for (int i = 0; i < payloads; ++i) {
      const PathChooser::Choice choice = chooser_.Choose(prior_);
      ++taken[Index(choice.pair)];
      last_ = choice.pair;
      if (choice.group == 0) continue;
      const Cost& cost = costs_[Index(choice.pair)];
      const double now = slowness * std::uniform_real_distribution<double>(1 - noise, 1 + noise)(random_);
      chooser_.OnSample(choice.group, {.bytes = 1'000'000,
                                       .elapsed_ns = static_cast<uint64_t>(cost.elapsed * now * 1e6),
                                       .cpu_ns = static_cast<uint64_t>(cost.cpu * now * 1e6),
                                       .refused = cost.refused,
                                       .copied = cost.copied});
    }
  }

  // The pair in force: what most payloads take.
  PathPair Best() { return chooser_.Choose(prior_).pair; }

  PathChooser& chooser() { return chooser_; }

  static int Index(const PathPair& pair) {
    return (pair.send == SendPath::kZerocopy ? 2 : 0) + (pair.receive == ReceivePath::kMap ? 1 : 0);
  }
  std::map<int, int> taken;

 private:
  const PathPrior prior_;
  PathChooser chooser_;
  std::map<int, Cost> costs_;
  std::mt19937 random_{1};
  PathPair last_;
};

// Enough for every pair to be tried, and to confirm it.
constexpr int kLong = 16 * static_cast<int>(PathChooser::kCycle) + 1;

TEST(PathChooserTest, BeginsWithWhatIsSane) {
  EXPECT_EQ(PathChooser().Choose(kSameHost).pair, kCopyCopy);
  EXPECT_EQ(PathChooser().Choose(kNetwork).pair, kZerocopyMap);
  EXPECT_EQ(PathChooser().Choose({.zerocopy = true, .map = false}).pair, kZerocopyCopy) << "no page fits the MTU";
  EXPECT_EQ(PathChooser().Choose({}).pair, kCopyCopy);
}

TEST(PathChooserTest, ConvergesOnWhatCostsLeast) {
  for (const PathPair& cheapest : {kCopyCopy, kCopyMap, kZerocopyCopy, kZerocopyMap}) {
    for (const PathPrior& prior : {kSameHost, kNetwork}) {
      Simulation host(prior);
      for (const PathPair& pair : {kCopyCopy, kCopyMap, kZerocopyCopy, kZerocopyMap}) {
        host.Set(pair, pair == cheapest ? Cost{1, 1} : Cost{1.4, 1.5});
      }
      host.Send(kLong);
      EXPECT_EQ(host.Best(), cheapest);
    }
  }
}

TEST(PathChooserTest, BetweenEquallyFastPairsCpuDecides) {
  Simulation host(kNetwork);
  host.Set(kCopyCopy, {1, 2});
  host.Set(kZerocopyMap, {1, 1.5});
  host.Set(kZerocopyCopy, {1.02, 1});
  host.Set(kCopyMap, {1.3, 0.5});
  host.Send(kLong);
  EXPECT_EQ(host.Best(), kZerocopyCopy) << "as fast as the others and cheapest; copy/map is cheaper but slow";
}

TEST(PathChooserTest, NoiseDoesNotMoveIt) {
  for (const double noise : {0.05, 0.2}) {
    Simulation host(kSameHost);
    host.noise = noise;
    for (const PathPair& pair : {kCopyMap, kZerocopyCopy, kZerocopyMap}) host.Set(pair, {1.3, 1.3});
    std::mt19937 random(2);
    int sent = 0;
    for (int i = 0; i < 400; ++i) {
      host.slowness = 1 + i % 2;  // slow periods in which all costs double
      const int payloads = 1 + static_cast<int>(random() % PathChooser::kCycle);
      host.Send(payloads);
      sent += payloads;
    }
    EXPECT_EQ(host.Best(), kCopyCopy);
    EXPECT_GT(host.taken[0], sent - sent / 100) << "of " << sent;
  }
}

TEST(PathChooserTest, TracksAChange) {
  Simulation host(kNetwork);
  for (const PathPair& pair : {kCopyCopy, kCopyMap, kZerocopyCopy}) host.Set(pair, {1.5, 2});
  host.Send(20 * kLong);
  ASSERT_EQ(host.Best(), kZerocopyMap);
  // The route changes: the kernel copies what it sends, and nothing can be mapped.
  host.Set(kZerocopyMap, {2.5, 3, true, true});
  host.Set(kZerocopyCopy, {2, 2.5, false, true});
  host.Set(kCopyMap, {1.6, 2.1, true});
  host.Send(4 * static_cast<int>(PathChooser::kCycle));
  EXPECT_EQ(host.Best(), kCopyCopy) << "one trial is enough where the kernel copies anyway";
  // And back.
  host.Set(kZerocopyMap, {1, 1});
  host.Send(80 * static_cast<int>(PathChooser::kCycle));
  EXPECT_EQ(host.Best(), kZerocopyMap);
}

TEST(PathChooserTest, APairThatWasReplacedIsEvidenceAtOnce) {
  Simulation host(kSameHost);
  for (const PathPair& pair : {kCopyCopy, kCopyMap, kZerocopyCopy}) host.Set(pair, {1, 1});
  host.Set(kZerocopyMap, {0.5, 0.8});
  host.Send(2 * static_cast<int>(PathChooser::kCycle));
  EXPECT_EQ(host.Best(), kZerocopyMap) << "it won twice";
  const PathEvidence evidence = host.chooser().evidence();
  EXPECT_EQ(evidence.trials, 2u);
  EXPECT_EQ(evidence.next_send, SendPath::kCopy);
  EXPECT_EQ(evidence.next_receive, ReceivePath::kCopy);
  EXPECT_DOUBLE_EQ(evidence.time_ratio, 2);
  EXPECT_DOUBLE_EQ(evidence.cpu_ratio, 1.25);
}

TEST(PathChooserTest, ExploresNoMoreThanItsShare) {
  for (const double others : {0.5, 1.0, 3.0}) {
    Simulation host(kSameHost);
    for (const PathPair& pair : {kCopyMap, kZerocopyCopy, kZerocopyMap}) host.Set(pair, {others, others});
    for (int sent = 0; sent < 100'000; sent += 1000) {
      const PathPair before = host.Best();
      const auto at_first = host.taken;
      host.Send(999);
      if (!(host.Best() == before)) continue;
      int explored = 0;
      for (const auto& [index, count] : host.taken) {
        if (index != Simulation::Index(before)) explored += count - (at_first.contains(index) ? at_first.at(index) : 0);
      }
      EXPECT_LE(explored, 3 * static_cast<int>(PathChooser::kGroup)) << "of 1,001: 3 groups at most are under way";
    }
    // Nobody explores in the first payloads: short-lived processes take what is sane.
  }
  Simulation host(kSameHost);
  host.Send(static_cast<int>(PathChooser::kCycle - PathChooser::kGroup));
  EXPECT_EQ(host.taken.size(), 1u);
}

TEST(PathChooserTest, WhatLosesClearlyIsTriedLessAndLess) {
  Simulation host(kSameHost);
  for (const PathPair& pair : {kCopyMap, kZerocopyCopy, kZerocopyMap}) host.Set(pair, {3, 3});
  host.Send(100 * static_cast<int>(PathChooser::kCycle));
  const int early = host.taken[1] + host.taken[2] + host.taken[3];
  EXPECT_LE(early, 100 * static_cast<int>(PathChooser::kGroup) / 4);
  EXPECT_GT(early, 0);
}

TEST(PathChooserTest, FailedPayloadsAndLateSamplesDoNoHarm) {
  PathChooser chooser;
  PathChooser::Group first = 0;
  for (int i = 0; i < 10 * static_cast<int>(PathChooser::kCycle); ++i) {
    const PathChooser::Choice choice = chooser.Choose(kSameHost);
    if (choice.group != 0 && first == 0) first = choice.group;
    EXPECT_EQ(choice.pair == kCopyCopy || choice.group % 2 == 1, true);
  }
  EXPECT_EQ(chooser.evidence().trials, 0u) << "no sample came";
  chooser.OnSample(first, {.bytes = 1, .elapsed_ns = 1, .cpu_ns = 1});
  chooser.OnSample(first + 1, {.bytes = 0});
  EXPECT_EQ(chooser.evidence().trials, 0u);
}

TEST(PathChooserTest, SaysWhatSpeaksForItsChoice) {
  Simulation host(kSameHost);
  EXPECT_FALSE(host.chooser().evidence().measured);
  host.Set(kZerocopyMap, {1.25, 1.5});
  host.Set(kZerocopyCopy, {2, 2});
  host.Set(kCopyMap, {3, 3});
  host.Send(8 * static_cast<int>(PathChooser::kCycle) + 1);
  const PathEvidence evidence = host.chooser().evidence();
  EXPECT_TRUE(evidence.measured);
  EXPECT_GE(evidence.trials, 3u);
  EXPECT_EQ(evidence.next_send, SendPath::kZerocopy);
  EXPECT_EQ(evidence.next_receive, ReceivePath::kMap);
  EXPECT_DOUBLE_EQ(evidence.time_ratio, 1.25);
  EXPECT_DOUBLE_EQ(evidence.cpu_ratio, 1.5);
}

TEST(PathChooserTest, WhatIsImpossibleIsNeverTried) {
  Simulation host({.same_host = true, .zerocopy = false, .map = true});
  host.Send(kLong);
  EXPECT_FALSE(host.taken.contains(2));
  EXPECT_FALSE(host.taken.contains(3));
  EXPECT_GT(host.taken[1], 0);
}

TEST(PeerPathsTest, EachHostAndEachClassOfSizesLearnsForItself) {
  const auto here = PeerPaths::Of("ipv4:127.0.0.1");
  EXPECT_EQ(PeerPaths::Of(HostOf("ipv4:127.0.0.1:7070")), here);
  EXPECT_EQ(HostOf("ipv6:[::1]:80"), "ipv6:[::1]");
  EXPECT_NE(PeerPaths::Of("ipv4:127.0.0.2"), here);
  PeerPaths paths;
  int explored = 0;
  for (uint32_t i = 0; i < PathChooser::kCycle; ++i) {
    explored += paths.Choose(64 << 10, kSameHost).group % 2;
  }
  EXPECT_EQ(explored, static_cast<int>(PathChooser::kGroup));
  EXPECT_EQ(paths.Choose(256 << 10, kSameHost).group, 0u) << "another class, which has only begun";
}

TEST(PeerPathsTest, HostsOfLongAgoAreForgotten) {
  const auto old = PeerPaths::Of("ipv4:10.0.0.1");
  for (int i = 0; i < 1024; ++i) PeerPaths::Of("ipv4:10.1.0." + std::to_string(i));
  EXPECT_NE(PeerPaths::Of("ipv4:10.0.0.1"), old);
}

}  // namespace
}  // namespace pagewire::transport::testing
