#include "transfer_service.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "server_process.h"

namespace pagewire::bench {

uint64_t ReadAll(const Payload& payload) {
  uint64_t sum = 0;
  for (const absl::Span<const char> span : payload.spans()) {
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= span.size(); i += sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, span.data() + i, sizeof(word));
      sum += word;
    }
    for (; i < span.size(); ++i) sum += static_cast<unsigned char>(span[i]);
  }
  return sum;
}

PayloadSource::PayloadSource(uint64_t bytes, bool touch) : bytes_(bytes), touch_(touch) {
  if (touch) return;
  PayloadBuffer buffer = PayloadBuffer::Allocate(bytes);
  std::memset(buffer.data(), 'x', bytes);
  same_ = std::move(buffer).Freeze();
}

Payload PayloadSource::Next() const {
  if (!touch_) return same_;
  PayloadBuffer buffer = PayloadBuffer::Allocate(bytes_);
  std::memset(buffer.data(), 'x', bytes_);
  return std::move(buffer).Freeze();
}

void TransferService::Echo(ServerContext&, const Load& request, absl::AnyInvocable<void(absl::StatusOr<Load>)> done) {
  done(request);
}

void TransferService::Put(ServerContext&, const Load&, Payload payload,
                          absl::AnyInvocable<void(absl::StatusOr<Load>)> done) {
  Load reply;
  reply.set_size(payload.size());
  if (touch_ && ReadAll(payload) == 0) return done(absl::DataLossError("all bytes are 0"));
  payload = Payload();  // before the answer: its sender may send the next
  done(std::move(reply));
}

const PayloadSource& TransferService::SourceOf(uint64_t bytes) {
  base::MutexLock lock(mutex_);
  return sources_.try_emplace(bytes, bytes, touch_).first->second;
}

void TransferService::Usage(ServerContext&, const Load&, absl::AnyInvocable<void(absl::StatusOr<ServerUsage>)> done) {
  ServerUsage usage;
  usage.set_cpu_us(OwnUsage().cpu_us);
  done(std::move(usage));
}

void TransferService::Get(ServerContext&, const Load& request,
                          absl::AnyInvocable<void(absl::StatusOr<WithPayload<Load>>)> done) {
  WithPayload<Load> reply{{}, SourceOf(request.size()).Next()};
  reply.message.set_size(reply.payload.size());
  done(std::move(reply));
}

RelayService::RelayService(const std::vector<std::string>& targets, const TransferPaths& paths, bool on_loops) {
  ChannelOptions options;
  options.send_path = paths.send;
  options.inline_completions = on_loops;
  options.receive_path = paths.receive;
  for (const std::string& target : targets) {
    stubs_.push_back(
        std::make_unique<Transfer::Stub>(CreateCustomChannel(target, InsecureChannelCredentials(), options)));
  }
}

void RelayService::Put(ServerContext& context, const Load& request, Payload payload,
                       absl::AnyInvocable<void(absl::StatusOr<Load>)> done) {
  // The last answer ends the call; a failed one ends it at once.
  struct Fan {
    std::vector<std::unique_ptr<ClientContext>> contexts;
    std::atomic<size_t> open;
    std::atomic<bool> over = false;
    absl::AnyInvocable<void(absl::StatusOr<Load>)> done;
  };
  const auto fan = std::make_shared<Fan>();
  fan->open = stubs_.size();
  fan->done = std::move(done);
  for (size_t i = 0; i < stubs_.size(); ++i) fan->contexts.push_back(ClientContext::FromServerContext(context));
  for (size_t i = 0; i < stubs_.size(); ++i) {
    stubs_[i]->Callback().Put(*fan->contexts[i], request, payload, [fan](absl::StatusOr<Load> reply) {
      const bool last = --fan->open == 0;
      if ((last || !reply.ok()) && !fan->over.exchange(true)) fan->done(std::move(reply));
    });
  }
}

}  // namespace pagewire::bench
