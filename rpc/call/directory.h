// What there is to look at in the process: connections, and what calls wait in for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "call/views.h"
#include "transport/loop.h"

namespace pagewire::call {

// Something that can say how it is. Called on its loop, or where it has none, on any thread. What it appends has ids
// above what is asked for and rises; ids of connections are filled in by who asks.
class Inspected {
 public:
  // False: there is nothing to show.
  virtual bool Describe(ConnectionView& view) const = 0;

  // Calls with ids above `after` that began at `until` or before, `limit` at the most.
  virtual void DescribeCalls(uint64_t after, absl::Time until, size_t limit, std::vector<CallView>& calls) const = 0;

  // Payloads after `after` that began at `until` (as absl::Now) or before, `limit` at the most.
  virtual void DescribeTransfers(const transport::TransferPlace& /*after*/, absl::Time /*until*/, size_t /*limit*/,
                                 std::vector<TransferOfCall>& /*transfers*/) const {}

 protected:
  ~Inspected() = default;
};

// One entry. Who has it looks at `subject` on the loop only.
struct Listed {
  const uint64_t id;
  transport::Loop* const loop;  // null: any thread may ask
  const std::weak_ptr<const Inspected> subject;
};

// Of the process. Thread-safe: its lock is taken when something is added or goes, and while a page of it is copied.
class Directory {
 public:
  static Directory& Process();

  // A number for a server or a channel, which are not listed themselves.
  uint64_t NewOwner();

  // Those with ids above `after`, by id, at most `limit`.
  std::vector<std::shared_ptr<const Listed>> List(uint64_t after, size_t limit) const;

 private:
  friend class Listing;
  std::shared_ptr<const Listed> Add(transport::Loop* loop, std::weak_ptr<const Inspected> subject);
  void Remove(uint64_t id);

  mutable base::Mutex mutex_;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_owner_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::shared_ptr<const Listed>> entries_ ABSL_GUARDED_BY(mutex_);
};

// Keeps something listed while it lives.
class Listing {
 public:
  // What lives on `loop` from its first use on it to its end, and has this as a member: nobody is inside `subject` once
  // the listing is gone, if it goes on the loop, too.
  Listing(transport::Loop& loop, const Inspected& subject)
      : alive_(&subject, [](const Inspected*) {}), entry_(Directory::Process().Add(&loop, alive_)) {}

  // What is kept by shared_ptr; `loop` may be null.
  Listing(transport::Loop* loop, std::weak_ptr<const Inspected> subject)
      : entry_(Directory::Process().Add(loop, std::move(subject))) {}

  ~Listing() { Directory::Process().Remove(entry_->id); }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  uint64_t id() const { return entry_->id; }

 private:
  const std::shared_ptr<const Inspected> alive_;  // of what is kept by somebody else: null
  const std::shared_ptr<const Listed> entry_;
};

}  // namespace pagewire::call
