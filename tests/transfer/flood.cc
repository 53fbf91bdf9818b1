#include "transfer/flood.h"

#include <pagewire/pagewire.h>

#include <cstring>
#include <iostream>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "transfer.pagewire.h"

namespace pagewire::transfer {

int Flood(const std::string& target, uint64_t bytes, uint64_t payload_bytes, int in_flight) {
  Transfer::Stub stub(CreateChannel(target, InsecureChannelCredentials()));
  PayloadBuffer buffer = PayloadBuffer::Allocate(payload_bytes);
  std::memset(buffer.data(), 'f', buffer.size());
  const Payload payload = std::move(buffer).Freeze();
  base::Mutex mutex;
  base::CondVar changed;
  int under_way = 0;
  absl::Status failed;
  for (uint64_t sent = 0; sent < bytes; sent += payload_bytes) {
    {
      base::MutexLock lock(mutex);
      while (under_way >= in_flight) changed.Wait(mutex);
      if (!failed.ok()) break;
      ++under_way;
    }
    auto context = std::make_shared<ClientContext>();
    stub.Callback().Spend(*context, SpendRequest(), payload, [&, context](absl::StatusOr<SpendReply> reply) {
      base::MutexLock lock(mutex);
      --under_way;
      if (!reply.ok()) failed = reply.status();
      changed.NotifyAll();
    });
  }
  base::MutexLock lock(mutex);
  while (under_way > 0) changed.Wait(mutex);
  if (!failed.ok()) std::cerr << failed << "\n";
  return failed.ok() ? 0 : 1;
}

}  // namespace pagewire::transfer
