// What a handler's ServerContext shows: shared between the handler's thread and the connection's loop.
#pragma once

#include <pagewire/metadata.h>
#include <pagewire/transfer_report.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <string>
#include <vector>

#include "base/mutex.h"

namespace pagewire::internal {

class ServerCallState {
 public:
  // Set before the handler runs, then constant.
  std::string method;
  std::string peer;
  absl::Time deadline = absl::InfiniteFuture();
  Metadata client_metadata;
  CallTransferReport transfers;

  // The handler's, until it is done.
  Metadata initial_metadata;
  bool initial_metadata_sent = false;
  Metadata trailing_metadata;
  absl::Status metadata_error;  // the first invalid pair

  // Nobody waits for the answer any more. Any thread; the callbacks run then, on the executor.
  void Cancel();
  bool cancelled() const;

  // Runs `callback` on the executor when the call is cancelled, or now if it is. Any thread.
  void OnCancelled(absl::AnyInvocable<void()> callback);

 private:
  mutable base::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<absl::AnyInvocable<void()>> callbacks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::internal
