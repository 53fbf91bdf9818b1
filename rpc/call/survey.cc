#include "call/survey.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "base/coarse_clock.h"
#include "base/mutex.h"

namespace pagewire::call {
namespace {

using SubjectsByLoop = std::map<transport::Loop*, std::deque<std::shared_ptr<const Listed>>>;

// What was found so far. Shared by who waits and the loops.
template <typename View>
struct Progress {
  base::Mutex mutex;
  base::CondVar changed;
  size_t loops_under_way ABSL_GUARDED_BY(mutex) = 0;
  bool over ABSL_GUARDED_BY(mutex) = false;  // nobody waits any more
  std::vector<View> views ABSL_GUARDED_BY(mutex);
  std::vector<uint64_t> answered ABSL_GUARDED_BY(mutex);
  SubjectsByLoop unasked ABSL_GUARDED_BY(mutex);  // here, so that a loop that is stuck does not keep them
};

// Asks the subjects of one loop. Posts itself, so that a task that is destroyed with its loop ends the chain.
template <typename View>
class Chain {
 public:
  Chain(std::shared_ptr<Progress<View>> progress, transport::Loop& loop, Ask<View> ask, size_t limit)
      : progress_(std::move(progress)), loop_(loop), ask_(std::move(ask)), left_(limit) {}

  static void Post(std::unique_ptr<Chain> chain) {
    transport::Loop& loop = chain->loop_;
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
    std::shared_ptr<const Listed> subject;
    {
      base::MutexLock lock(progress_->mutex);
      if (progress_->over) return false;
      auto& unasked = progress_->unasked[&loop_];
      subject = std::move(unasked.front());
      unasked.pop_front();
    }
    std::vector<View> views;
    if (const auto alive = subject->subject.lock()) ask_(*alive, subject->id, views);
    left_ -= std::min(left_, views.size());
    base::MutexLock lock(progress_->mutex);
    progress_->answered.push_back(subject->id);
    std::move(views.begin(), views.end(), std::back_inserter(progress_->views));
    if (progress_->over) return false;
    const auto& unasked = progress_->unasked[&loop_];
    if (left_ > 0) return !unasked.empty();
    // Those with higher ids are not needed.
    for (const auto& listed : unasked) progress_->answered.push_back(listed->id);
    return false;
  }

  const std::shared_ptr<Progress<View>> progress_;
  transport::Loop& loop_;
  const Ask<View> ask_;
  size_t left_;
};

}  // namespace

template <typename View>
Findings<View> Survey(const std::vector<std::shared_ptr<const Listed>>& subjects, Ask<View> ask,
                      const SurveyBounds& bounds) {
  const auto progress = std::make_shared<Progress<View>>();
  SubjectsByLoop by_loop;
  for (const auto& subject : subjects) by_loop[subject->loop].push_back(subject);
  Findings<View> findings;
  for (const auto& subject : by_loop[nullptr]) {
    if (findings.views.size() >= bounds.limit) break;  // those with higher ids are not needed
    std::vector<View> views;
    if (const auto alive = subject->subject.lock()) ask(*alive, subject->id, views);
    std::move(views.begin(), views.end(), std::back_inserter(findings.views));
  }
  by_loop.erase(nullptr);
  std::vector<transport::Loop*> loops;
  for (const auto& [loop, own] : by_loop) loops.push_back(loop);
  {
    base::MutexLock lock(progress->mutex);
    progress->loops_under_way = loops.size();
    progress->unasked = std::move(by_loop);
  }
  for (transport::Loop* loop : loops) {
    Chain<View>::Post(std::make_unique<Chain<View>>(progress, *loop, ask, bounds.limit));
  }
  const absl::Time until = base::CoarseNow() + bounds.patience;
  std::vector<uint64_t> answered;
  SubjectsByLoop unasked;  // destroyed outside the lock
  {
    base::MutexLock lock(progress->mutex);
    while (progress->loops_under_way > 0) {
      const absl::Duration left = until - base::CoarseNow();
      if (left <= absl::ZeroDuration()) break;
      progress->changed.WaitFor(progress->mutex, left);
    }
    progress->over = true;
    unasked.swap(progress->unasked);
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
