// One call of Watch.
#pragma once

#include <pagewire/async_server_stream.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "grpc/health/v1/health.pb.h"

namespace pagewire::health {

using ServingStatus = grpc::health::v1::HealthCheckResponse::ServingStatus;

// Thread-safe. Writes the latest status whenever it is another than the last one written, one at a time: a client that
// does not read misses what has changed back meanwhile.
class Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  using Writer = AsyncServerWriter<grpc::health::v1::HealthCheckResponse>;

  Watcher(Writer writer, absl::AnyInvocable<void(absl::Status)> done)
      : writer_(std::move(writer)), done_(std::move(done)) {}

  // `version` rises with each change; older ones are ignored, as callers may overtake each other.
  void Tell(ServingStatus status, uint64_t version) {
    {
      base::MutexLock lock(mutex_);
      if (version < version_) return;
      version_ = version;
      latest_ = status;
      if (writing_ || done_ == nullptr || written_ == status) return;
      writing_ = true;
      written_ = status;
    }
    grpc::health::v1::HealthCheckResponse response;
    response.set_status(status);
    writer_.Write(response, [self = shared_from_this()](absl::Status written) { self->OnWritten(std::move(written)); });
  }

  // The call is over. Later calls do nothing.
  void End(absl::Status status) {
    absl::AnyInvocable<void(absl::Status)> done;
    {
      base::MutexLock lock(mutex_);
      done = std::exchange(done_, nullptr);
    }
    if (done != nullptr) done(std::move(status));
  }

 private:
  void OnWritten(absl::Status written) {
    if (!written.ok()) return End(std::move(written));
    ServingStatus latest;
    uint64_t version = 0;
    {
      base::MutexLock lock(mutex_);
      writing_ = false;
      latest = latest_;
      version = version_;
    }
    Tell(latest, version);
  }

  const Writer writer_;
  base::Mutex mutex_;
  absl::AnyInvocable<void(absl::Status)> done_ ABSL_GUARDED_BY(mutex_);
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  ServingStatus latest_ ABSL_GUARDED_BY(mutex_) = grpc::health::v1::HealthCheckResponse::UNKNOWN;
  std::optional<ServingStatus> written_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewire::health
