// A service that puts, gets and checks bytes, and misbehaves as the request says.
#pragma once

#include <pagewire/pagewire.h>

#include <vector>

#include "base/mutex.h"
#include "blob.pagewire.h"

namespace pagewire::test {

// The bytes of a payload are a function of seed and offset, so that both ends can check them.
Payload MakePayload(uint64_t size, uint64_t seed);
uint64_t HashOf(const Payload& payload);
uint64_t ExpectedHash(uint64_t size, uint64_t seed);

class BlobService final : public Blob::Service {
 public:
  absl::StatusOr<BlobReply> Echo(ServerContext& context, const BlobRequest& request) override;
  absl::StatusOr<BlobReply> Put(ServerContext& context, const BlobRequest& request, Payload payload) override;
  absl::StatusOr<WithPayload<BlobReply>> Get(ServerContext& context, const BlobRequest& request) override;
  absl::StatusOr<WithPayload<BlobReply>> Swap(ServerContext& context, const BlobRequest& request,
                                              Payload payload) override;
  absl::StatusOr<BlobReply> Keep(ServerContext& context, const BlobRequest& request, Payload payload) override;

  std::vector<Payload> TakeKept();

  // Handlers that block until cancelled or released wait here.
  void Release();

 private:
  absl::Status Obey(ServerContext& context, const BlobRequest& request);

  base::Mutex mutex_;
  base::CondVar changed_;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Payload> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::test
