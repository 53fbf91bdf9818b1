// Which pair of paths payloads of one size class take to one host: chosen by what they have cost. Pure: no clock, no
// lock, no randomness.
//
//   of every 512 payloads:  [ 504 by the best pair known ][ 4 baseline: the same, measured ][ 4 trial: another pair ]
//
// Both groups go out one after the other, so that a machine or a network in a slow period slows both; only their ratios
// count. The objective: throughput first, then CPU. Under a given load the time from a payload's first byte sent to
// its acknowledgement is the inverse of throughput, so a pair is better if that takes less time (by 5 % or more), or
// about as long and less CPU of both sides together (by 10 % or more). It is chosen when two trials in a row say so.
//
// Nothing is settled for good. Pairs that lose are tried less often, down to every 32nd round; they are all tried
// again soon when what the pair in force costs, or whether the kernel copies its zero-copy sends, has changed. That the
// kernel copies them is evidence, too: copying outright then needs to win one trial only.
#pragma once

#include <pagewire/paths.h>
#include <pagewire/transfer_report.h>

#include <array>
#include <cstdint>
#include <vector>

namespace pagewire::transport {

// What is known before anything is measured.
struct PathPrior {
  bool same_host = false;  // the kernel copies what is sent without a copy
  bool zerocopy = false;   // possible for us
  bool map = false;        // whole pages arrive as such; whether the peer can map them, it will say

  bool operator==(const PathPrior&) const = default;
};

struct PathPair {
  SendPath send = SendPath::kCopy;           // kCopy or kZerocopy
  ReceivePath receive = ReceivePath::kCopy;  // kCopy or kMap

  bool operator==(const PathPair&) const = default;
};

class PathChooser {
 public:
  // Of so many payloads,
  static constexpr uint32_t kCycle = 512;
  // so many are a trial, and as many before them the baseline. The share of exploring is 1/128 at most.
  static constexpr uint32_t kGroup = 4;

  // Not 0: measure this payload, and tell OnSample. Names the group.
  using Group = uint32_t;

  struct Choice {
    PathPair pair;
    Group group = 0;
  };

  // For the next payload. What is impossible according to `prior` is never chosen. A prior other than the last one's
  // starts all over.
  Choice Choose(const PathPrior& prior);

  struct Sample {
    uint64_t bytes = 0;
    uint64_t elapsed_ns = 0;  // from the first byte sent to the acknowledgement of all
    uint64_t cpu_ns = 0;      // of both sides
    bool refused = false;     // nothing was mapped though that was asked for
    bool copied = false;      // the kernel copied what was sent without a copy
  };

  // Samples of groups that are over are ignored, and payloads that fail need not be told.
  void OnSample(Group group, const Sample& sample);

  // The best pair known, and what speaks for it.
  PathEvidence evidence() const;

 private:
  struct Arm {
    PathPair pair;
    uint32_t trials = 0;       // against the pair in force
    uint32_t wins = 0;         // of these, the last ones in a row
    uint32_t skip = 0;         // rounds to leave it out
    uint32_t skip_next = 0;    // after the next time that it loses
    double elapsed_ratio = 0;  // of the last trial to its baseline
    double cpu_ratio = 0;
  };
  static constexpr int kArms = 4;

  struct Measured {
    std::vector<double> elapsed, cpu;  // ns per byte
    int refused = 0;
    int copied = 0;
  };

  void Start(const PathPrior& prior);
  bool Possible(const PathPair& pair) const;
  void FinishRound();
  void NoteConditions();
  void PickTrial();
  void Adopt(int arm);

  PathPrior prior_;
  bool started_ = false;
  std::array<Arm, kArms> arms_;
  int best_ = 0;
  int trial_ = -1;  // the arm on trial in this round; -1: none
  int last_trial_ = 0;
  uint32_t in_cycle_ = 0;
  uint32_t round_ = 0;
  Measured baseline_, trial_measured_;
  double last_elapsed_ = 0;  // of the last baseline, ns per byte; 0: none
  bool last_copied_ = false;
};

}  // namespace pagewire::transport
