#include "call/directory.h"

namespace pagewire::call {

Directory& Directory::Process() {
  static Directory& directory = *new Directory();
  return directory;
}

uint64_t Directory::NewOwner() {
  base::MutexLock lock(mutex_);
  return ++last_owner_;
}

std::shared_ptr<const Listed> Directory::Add(transport::Loop* loop, std::weak_ptr<const Inspected> subject) {
  base::MutexLock lock(mutex_);
  auto listed = std::make_shared<const Listed>(Listed{++last_id_, loop, std::move(subject)});
  entries_.emplace_hint(entries_.end(), listed->id, listed);
  return listed;
}

void Directory::Remove(uint64_t id) {
  std::shared_ptr<const Listed> last;  // destroyed outside the lock
  base::MutexLock lock(mutex_);
  const auto it = entries_.find(id);
  last = std::move(it->second);
  entries_.erase(it);
}

std::vector<std::shared_ptr<const Listed>> Directory::List(uint64_t after, size_t limit) const {
  std::vector<std::shared_ptr<const Listed>> page;
  base::MutexLock lock(mutex_);
  for (auto it = entries_.upper_bound(after); it != entries_.end() && page.size() < limit; ++it) {
    page.push_back(it->second);
  }
  return page;
}

}  // namespace pagewire::call
