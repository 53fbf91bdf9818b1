#include "transport/in_process_stream.h"

#include <absl/types/span.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

#include "base/mutex.h"
#include "base/status.h"
#include "transport/byte_ring.h"
#include "transport/readiness.h"

namespace pagewire::transport {
namespace {

size_t TotalBytes(absl::Span<const iovec> spans) {
  size_t total = 0;
  for (const iovec& span : spans) total += span.iov_len;
  return total;
}

// What both ends share. Ends are numbered 0 and 1; calls are made by end `me` in its own thread.
class Link {
 public:
  explicit Link(size_t buffer_bytes) : ends_{End(buffer_bytes), End(buffer_bytes)} {}

  // The end may be told that something changed, until Close. `readiness` lives until then.
  void Open(int me, Readiness* readiness) {
    base::MutexLock lock(mutex_);
    ends_[me].readiness = readiness;
  }

  IoResult Read(int me, absl::Span<const iovec> into) {
    if (TotalBytes(into) == 0) return IoResult::Ok(0);
    base::MutexLock lock(mutex_);
    End& mine = ends_[me];
    End& peer = ends_[1 - me];
    if (peer.sent.size() > 0) {
      const size_t count = peer.sent.Read(into);
      // Half empty, as TCP does it: a writer woken for each byte would do nothing but wake up.
      if (peer.sent.free() >= (peer.sent.capacity() + 1) / 2) Wake(peer, /*reader=*/false, /*writer=*/true);
      return IoResult::Ok(count);
    }
    if (!mine.error.ok()) return IoResult::Failed(base::CloneStatus(mine.error));
    if (peer.ended) return IoResult::End();
    mine.read_blocked = true;
    return IoResult::Blocked();
  }

  IoResult Write(int me, absl::Span<const iovec> from) {
    base::MutexLock lock(mutex_);
    End& mine = ends_[me];
    assert(!mine.ended);
    if (!mine.error.ok()) return IoResult::Failed(base::CloneStatus(mine.error));
    if (TotalBytes(from) == 0) return IoResult::Ok(0);
    if (ends_[1 - me].closed) {
      mine.error = absl::UnavailableError("connection to in-process failed: the other end is closed");
      return IoResult::Failed(base::CloneStatus(mine.error));
    }
    if (mine.sent.free() == 0) {
      mine.write_blocked = true;
      return IoResult::Blocked();
    }
    const size_t count = mine.sent.Write(from);
    Wake(ends_[1 - me], /*reader=*/true, /*writer=*/false);
    return IoResult::Ok(count);
  }

  void CloseWrite(int me) {
    base::MutexLock lock(mutex_);
    ends_[me].ended = true;
    Wake(ends_[1 - me], /*reader=*/true, /*writer=*/false);
  }

  void Abort(int me) {
    base::MutexLock lock(mutex_);
    ends_[1 - me].sent.Clear();
    ends_[me].error = absl::CancelledError("connection to in-process was aborted by this side");
    Break(ends_[1 - me], "reset by the other end");
  }

  bool SendQueueEmpty(int me) {
    base::MutexLock lock(mutex_);
    return ends_[me].error.ok() && ends_[me].sent.size() == 0;
  }

  void Close(int me) {
    base::MutexLock lock(mutex_);
    End& peer = ends_[1 - me];
    ends_[me].readiness = nullptr;
    ends_[me].ended = ends_[me].closed = true;
    const bool unread = peer.sent.size() > 0;
    peer.sent.Clear();
    if (unread) {
      Break(peer, "reset by the other end, which closed with bytes unread");
    } else {
      Wake(peer, /*reader=*/true, /*writer=*/true);
    }
  }

 private:
  struct End {
    explicit End(size_t buffer_bytes) : sent(buffer_bytes) {}

    ByteRing sent;                   // written by this end, not yet read by the other
    bool ended = false;              // it writes no more
    bool closed = false;             // it is gone
    bool read_blocked = false;       // it waits for bytes
    bool write_blocked = false;      // it waits for room
    absl::Status error;              // of this end's writes, and of its reads once what was sent is read
    Readiness* readiness = nullptr;  // null before it is open and once it is closed
  };

  // Posting is allowed under the lock: loops never call back from inside Post, and the lock is what keeps the end, and
  // with it its loop, alive meanwhile.
  void Wake(End& end, bool reader, bool writer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    reader = reader && std::exchange(end.read_blocked, false);
    writer = writer && std::exchange(end.write_blocked, false);
    if ((reader || writer) && end.readiness != nullptr) end.readiness->Notify(reader, writer);
  }

  void Break(End& end, const char* why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (end.error.ok()) end.error = absl::UnavailableError(std::string("connection to in-process failed: ") + why);
    Wake(end, /*reader=*/true, /*writer=*/true);
  }

  base::Mutex mutex_;
  std::array<End, 2> ends_ ABSL_GUARDED_BY(mutex_);
};

class InProcessStream final : public ByteStream {
 public:
  InProcessStream(std::shared_ptr<Link> link, int me, Loop& loop) : link_(std::move(link)), me_(me), readiness_(loop) {}
  ~InProcessStream() override { link_->Close(me_); }

  void Start(Observer* observer) override {
    readiness_.Start(observer);
    link_->Open(me_, &readiness_);
    readiness_.Notify(/*readable=*/true, /*writable=*/true);
  }
  void Detach() override { readiness_.Start(nullptr); }
  IoResult Read(absl::Span<const iovec> into) override { return link_->Read(me_, into); }
  IoResult Write(absl::Span<const iovec> from, WriteOptions) override { return link_->Write(me_, from); }
  void CloseWrite() override { link_->CloseWrite(me_); }
  void Abort() override { link_->Abort(me_); }
  bool SendQueueEmpty() override { return link_->SendQueueEmpty(me_); }
  const std::string& peer() const override { return peer_; }
  bool same_host() const override { return true; }
  int fd() const override { return -1; }

 private:
  const std::shared_ptr<Link> link_;
  const int me_;
  const std::string peer_ = "in-process";
  Readiness readiness_;
};

}  // namespace

std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> MakeInProcessPair(Loop& a, Loop& b,
                                                                                      InProcessOptions options) {
  auto link = std::make_shared<Link>(std::max<size_t>(options.buffer_bytes, 1));
  return {std::make_unique<InProcessStream>(link, 0, a), std::make_unique<InProcessStream>(link, 1, b)};
}

}  // namespace pagewire::transport
