#include "transport/path_chooser.h"

#include <algorithm>

namespace pagewire::transport {
namespace {

// See the objective. A single comparison is noisier than that (docs/benchmarks/transfers.md has what equal pairs differ
// by); so one win is not enough, see kWins.
constexpr double kFaster = 0.95;
constexpr double kAsFast = 1.05;
constexpr double kCheaper = 0.90;

// A pair that loses is left out of so many rounds, and twice as many each time that it loses again.
constexpr uint32_t kFirstSkipped = 2;
constexpr uint32_t kMostSkipped = 32;

// A baseline that takes so much longer or shorter than the last one: something has changed.
constexpr double kChanged = 2;

// Trials in a row that a pair must win.
constexpr uint32_t kWins = 2;

// The first of a group may wait behind the group before it.
constexpr size_t kFewestSamples = PathChooser::kGroup - 1;

double Median(std::vector<double> values) {
  const auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

bool PathChooser::Possible(const PathPair& pair) const {
  return (pair.send == SendPath::kCopy || prior_.zerocopy) && (pair.receive == ReceivePath::kCopy || prior_.map);
}

void PathChooser::Start(const PathPrior& prior) {
  started_ = true;
  prior_ = prior;
  constexpr std::array<PathPair, kArms> kPairs = {{{SendPath::kCopy, ReceivePath::kCopy},
                                                   {SendPath::kZerocopy, ReceivePath::kMap},
                                                   {SendPath::kZerocopy, ReceivePath::kCopy},
                                                   {SendPath::kCopy, ReceivePath::kMap}}};
  for (int i = 0; i < kArms; ++i) arms_[i] = Arm{.pair = kPairs[i], .skip_next = kFirstSkipped};
  best_ = 0;
  if (!prior.same_host) {
    if (Possible(arms_[1].pair)) {
      best_ = 1;
    } else if (Possible(arms_[2].pair)) {
      best_ = 2;
    }
  }
  last_trial_ = best_;
  last_elapsed_ = 0;
  last_copied_ = false;
  in_cycle_ = 0;
  PickTrial();
}

PathChooser::Choice PathChooser::Choose(const PathPrior& prior) {
  if (!started_ || !(prior == prior_)) Start(prior);
  if (in_cycle_ == kCycle) {
    FinishRound();
    PickTrial();
    in_cycle_ = 0;
  }
  const uint32_t position = in_cycle_++;
  if (position < kCycle - 2 * kGroup) return {arms_[best_].pair};
  if (position < kCycle - kGroup) return {arms_[best_].pair, 2 * round_};
  if (trial_ < 0) return {arms_[best_].pair};
  return {arms_[trial_].pair, 2 * round_ + 1};
}

// A pair that has just won must confirm it; else they take turns.
void PathChooser::PickTrial() {
  ++round_;
  baseline_ = trial_measured_ = Measured();
  trial_ = -1;
  for (int i = 0; i < kArms; ++i) {
    if (i != best_ && arms_[i].wins > 0) trial_ = i;
  }
  for (int step = 1; step <= kArms && trial_ < 0; ++step) {
    const int i = (last_trial_ + step) % kArms;
    if (i == best_ || !Possible(arms_[i].pair)) continue;
    if (arms_[i].skip > 0) {
      --arms_[i].skip;
      continue;
    }
    trial_ = i;
  }
  if (trial_ >= 0) last_trial_ = trial_;
}

void PathChooser::OnSample(Group group, const Sample& sample) {
  if (group / 2 != round_ || sample.bytes == 0) return;
  const bool trial = group % 2 == 1;
  Measured& measured = trial ? trial_measured_ : baseline_;
  measured.elapsed.push_back(static_cast<double>(sample.elapsed_ns) / sample.bytes);
  measured.cpu.push_back(static_cast<double>(sample.cpu_ns) / sample.bytes);
  measured.refused += sample.refused;
  measured.copied += sample.copied;
}

void PathChooser::FinishRound() {
  if (baseline_.elapsed.size() < kFewestSamples) return;
  NoteConditions();
  if (trial_ < 0 || trial_measured_.elapsed.size() < kFewestSamples) return;
  Arm& arm = arms_[trial_];
  arm.elapsed_ratio = Median(trial_measured_.elapsed) / std::max(Median(baseline_.elapsed), 1e-9);
  arm.cpu_ratio = Median(trial_measured_.cpu) / std::max(Median(baseline_.cpu), 1e-9);
  ++arm.trials;
  const bool faster = arm.elapsed_ratio <= kFaster;
  const bool cheaper = arm.elapsed_ratio <= kAsFast && arm.cpu_ratio <= kCheaper;
  if (faster || cheaper) {
    arm.skip_next = kFirstSkipped;
    if (++arm.wins >= kWins) Adopt(trial_);
    return;
  }
  arm.wins = 0;
  arm.skip = trial_measured_.refused > 0 ? kMostSkipped : arm.skip_next;
  arm.skip_next = std::min(2 * arm.skip, kMostSkipped);
}

void PathChooser::NoteConditions() {
  const double elapsed = Median(baseline_.elapsed);
  const bool copied = static_cast<size_t>(baseline_.copied) == baseline_.elapsed.size();
  const bool slower = elapsed > last_elapsed_ * kChanged || elapsed * kChanged < last_elapsed_;
  if ((last_elapsed_ > 0 && slower) || copied != last_copied_) {
    for (Arm& arm : arms_) {
      arm.skip = 0;
      arm.skip_next = kFirstSkipped;
    }
  }
  if (copied && best_ != 0) arms_[0].wins = std::max(arms_[0].wins, kWins - 1);
  last_elapsed_ = elapsed;
  last_copied_ = copied;
}

// Ratios to another pair say nothing any more. The winner's, turned round, are what the pair that lost would show.
void PathChooser::Adopt(int arm) {
  const Arm winner = arms_[arm];
  for (Arm& each : arms_) each = Arm{.pair = each.pair, .skip_next = kFirstSkipped};
  Arm& loser = arms_[best_];
  loser.trials = winner.trials;
  loser.elapsed_ratio = 1 / std::max(winner.elapsed_ratio, 1e-9);
  loser.cpu_ratio = 1 / std::max(winner.cpu_ratio, 1e-9);
  best_ = arm;
  last_elapsed_ = 0;
  last_copied_ = false;
}

PathEvidence PathChooser::evidence() const {
  PathEvidence evidence;
  evidence.measured = started_;
  const Arm* next = nullptr;
  for (const Arm& arm : arms_) {
    if (arm.trials == 0) continue;
    evidence.trials += arm.trials;
    if (next == nullptr || arm.elapsed_ratio < next->elapsed_ratio) next = &arm;
  }
  if (next == nullptr) return evidence;
  evidence.next_send = next->pair.send;
  evidence.next_receive = next->pair.receive;
  evidence.time_ratio = next->elapsed_ratio;
  evidence.cpu_ratio = next->cpu_ratio;
  return evidence;
}

}  // namespace pagewire::transport
