#include "call/survey.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/coarse_clock.h"
#include "base/mutex.h"

namespace pagewire::call {
namespace {

// What was found so far. Shared by who waits and the loops.
template <typename View>
struct Progress {
  base::Mutex mutex;
  base::CondVar changed;
  size_t loops_under_way ABSL_GUARDED_BY(mutex) = 0;
  bool over ABSL_GUARDED_BY(mutex) = false;  // nobody waits any more
  std::vector<View> views ABSL_GUARDED_BY(mutex);
  std::vector<uint64_t> answered ABSL_GUARDED_BY(mutex);
};

// Asks the subjects of one loop. Posts itself, so that a task that is destroyed with its loop ends the chain.
template <typename View>
class Chain {
 public:
  Chain(std::shared_ptr<Progress<View>> progress, std::deque<std::shared_ptr<const Listed>> subjects, Ask<View> ask,
        size_t limit)
      : progress_(std::move(progress)), subjects_(std::move(subjects)), ask_(std::move(ask)), left_(limit) {}

  static void Post(std::unique_ptr<Chain> chain) {
    transport::Loop& loop = *chain->subjects_.front()->loop;
    loop.Post([chain = std::move(chain)]() mutable { Run(std::move(chain)); });
  }

  ~Chain() {
    base::MutexLock lock(progress_->mutex);
    --progress_->loops_under_way;
    progress_->changed.NotifyAll();
  }

 private:
  static void Run(std::unique_ptr<Chain> chain) {
    if (chain->AskNext()) Post(std::move(chain));
  }

  // False: this was the last one.
  bool AskNext() {
    {
      base::MutexLock lock(progress_->mutex);
      if (progress_->over) return false;
    }
    const std::shared_ptr<const Listed> subject = std::move(subjects_.front());
    subjects_.pop_front();
    std::vector<View> views;
    if (const auto alive = subject->subject.lock()) ask_(*alive, subject->id, views);
    left_ -= std::min(left_, views.size());
    base::MutexLock lock(progress_->mutex);
    progress_->answered.push_back(subject->id);
    std::move(views.begin(), views.end(), std::back_inserter(progress_->views));
    if (left_ > 0) return !subjects_.empty();
    // Those with higher ids are not needed.
    for (const auto& unasked : subjects_) progress_->answered.push_back(unasked->id);
    return false;
  }

  const std::shared_ptr<Progress<View>> progress_;
  std::deque<std::shared_ptr<const Listed>> subjects_;
  const Ask<View> ask_;
  size_t left_;
};

}  // namespace

template <typename View>
Findings<View> Survey(const std::vector<std::shared_ptr<const Listed>>& subjects, Ask<View> ask,
                      const SurveyBounds& bounds) {
  const auto progress = std::make_shared<Progress<View>>();
  std::map<transport::Loop*, std::deque<std::shared_ptr<const Listed>>> by_loop;
  for (const auto& subject : subjects) by_loop[subject->loop].push_back(subject);
  Findings<View> findings;
  for (const auto& subject : by_loop[nullptr]) {
    if (const auto alive = subject->subject.lock()) ask(*alive, subject->id, findings.views);
  }
  by_loop.erase(nullptr);
  {
    base::MutexLock lock(progress->mutex);
    progress->loops_under_way = by_loop.size();
  }
  for (auto& [loop, own] : by_loop) {
    Chain<View>::Post(std::make_unique<Chain<View>>(progress, std::move(own), ask, bounds.limit));
  }
  const absl::Time until = base::CoarseNow() + bounds.patience;
  std::vector<uint64_t> answered;
  {
    base::MutexLock lock(progress->mutex);
    while (progress->loops_under_way > 0) {
      const absl::Duration left = until - base::CoarseNow();
      if (left <= absl::ZeroDuration()) break;
      progress->changed.WaitFor(progress->mutex, left);
    }
    progress->over = true;
    std::move(progress->views.begin(), progress->views.end(), std::back_inserter(findings.views));
    answered = std::move(progress->answered);
  }
  std::sort(answered.begin(), answered.end());
  for (const auto& subject : subjects) {
    if (subject->loop == nullptr || std::binary_search(answered.begin(), answered.end(), subject->id)) continue;
    findings.unanswered.push_back(subject->id);
  }
  return findings;
}

template Findings<ConnectionView> Survey(const std::vector<std::shared_ptr<const Listed>>&, Ask<ConnectionView>,
                                         const SurveyBounds&);
template Findings<CallView> Survey(const std::vector<std::shared_ptr<const Listed>>&, Ask<CallView>,
                                   const SurveyBounds&);
template Findings<TransferOfCall> Survey(const std::vector<std::shared_ptr<const Listed>>&, Ask<TransferOfCall>,
                                         const SurveyBounds&);

}  // namespace pagewire::call
