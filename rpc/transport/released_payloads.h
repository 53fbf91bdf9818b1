// Payloads of the peer's that our application has dropped, or will never get, until the peer is told.
#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <vector>

#include "base/mutex.h"
#include "pagewire/wire.pb.h"

namespace pagewire::transport {

// Shared by a session and the payloads it delivered, whichever lives longer. Thread-safe.
class ReleasedPayloads {
 public:
  // `notify` runs on the thread that adds a payload, when there is something to tell: once, and again after Rearm. It
  // must only post.
  explicit ReleasedPayloads(absl::AnyInvocable<void()> notify) : notify_(std::move(notify)) {}

  void Add(uint64_t payload_id);

  // Appends what there is to `released`, as ranges that rise, up to `most` of them.
  void Take(int most, google::protobuf::RepeatedPtrField<wire::v1::IdRange>& released);

  // The notification has been heeded. If something is left to tell, the next comes inside this call.
  void Rearm();

  // The session is gone: nobody is told any more.
  void Close();

 private:
  base::Mutex mutex_;
  absl::AnyInvocable<void()> notify_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> ids_ ABSL_GUARDED_BY(mutex_);
  bool notified_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewire::transport
