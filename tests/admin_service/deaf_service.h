// A handler that does not notice that nobody waits for it.
#pragma once

#include <pagewire/pagewire.h>

#include "base/latch.h"
#include "blob.pagewire.h"

namespace pagewire::admin_service {

// Released before its server ends.
class DeafService final : public test::Blob::Service {
 public:
  absl::StatusOr<test::BlobReply> Echo(ServerContext&, const test::BlobRequest&) override {
    started.CountDown();
    released.Wait();
    return test::BlobReply();
  }

  testing::Latch started, released;
};

}  // namespace pagewire::admin_service
