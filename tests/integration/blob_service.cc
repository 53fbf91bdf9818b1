#include "integration/blob_service.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace pagewire::test {

Payload MakePayload(uint64_t size, uint64_t seed) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(size);
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  char* const bytes = buffer.data();
  for (uint64_t i = 0; i < size; i += sizeof(state)) {  // whole words: sanitizers look at each access
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::memcpy(bytes + i, &state, std::min<uint64_t>(sizeof(state), size - i));
  }
  return std::move(buffer).Freeze();
}

uint64_t HashOf(const Payload& payload) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  for (absl::Span<const char> span : payload.spans()) XXH3_64bits_update(state, span.data(), span.size());
  const uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return hash;
}

uint64_t ExpectedHash(uint64_t size, uint64_t seed) { return HashOf(MakePayload(size, seed)); }

absl::Status BlobService::Obey(ServerContext& context, const BlobRequest& request) {
  context.AddInitialMetadata("served-by", "blob");
  context.AddTrailingMetadata("seen-name-bin", request.name().substr(0, 100));
  if (request.name() == "throw") throw std::runtime_error("thrown on request");
  if (request.name() == "bad-metadata") context.AddTrailingMetadata("Upper Case", "x");
  if (request.sleep_ms() > 0) {
    const absl::Time end = absl::Now() + absl::Milliseconds(request.sleep_ms());
    base::MutexLock lock(mutex_);
    while (!released_ && !context.IsCancelled() && absl::Now() < end) changed_.WaitFor(mutex_, absl::Milliseconds(5));
  }
  if (request.code() == 0) return absl::OkStatus();
  absl::Status status(static_cast<absl::StatusCode>(request.code()), request.text());
  status.SetPayload("type.example/detail", absl::Cord(request.name()));
  return status;
}

absl::StatusOr<BlobReply> BlobService::Echo(ServerContext& context, const BlobRequest& request) {
  if (absl::Status status = Obey(context, request); !status.ok()) return status;
  for (const auto& [key, value] : context.client_metadata()) context.AddTrailingMetadata("echo-" + key, value);
  BlobReply reply;
  reply.set_name(request.name());
  return reply;
}

absl::StatusOr<BlobReply> BlobService::Put(ServerContext& context, const BlobRequest& request, Payload payload) {
  if (absl::Status status = Obey(context, request); !status.ok()) return status;
  BlobReply reply;
  reply.set_name(request.name());
  reply.set_size(payload.size());
  reply.set_hash(HashOf(payload));
  return reply;
}

absl::StatusOr<WithPayload<BlobReply>> BlobService::Get(ServerContext& context, const BlobRequest& request) {
  if (absl::Status status = Obey(context, request); !status.ok()) return status;
  WithPayload<BlobReply> reply;
  reply.message.set_size(request.size());
  reply.payload = MakePayload(request.size(), request.seed());
  return reply;
}

absl::StatusOr<WithPayload<BlobReply>> BlobService::Swap(ServerContext& context, const BlobRequest& request,
                                                         Payload payload) {
  if (absl::Status status = Obey(context, request); !status.ok()) return status;
  WithPayload<BlobReply> reply;
  reply.message.set_hash(HashOf(payload));
  reply.payload = std::move(payload);
  return reply;
}

absl::StatusOr<BlobReply> BlobService::Keep(ServerContext& context, const BlobRequest& request, Payload payload) {
  if (absl::Status status = Obey(context, request); !status.ok()) return status;
  BlobReply reply;
  reply.set_size(payload.size());
  base::MutexLock lock(mutex_);
  kept_.push_back(std::move(payload));
  return reply;
}

std::vector<Payload> BlobService::TakeKept() {
  base::MutexLock lock(mutex_);
  return std::exchange(kept_, {});
}

void BlobService::Release() {
  base::MutexLock lock(mutex_);
  released_ = true;
  changed_.NotifyAll();
}

}  // namespace pagewire::test
