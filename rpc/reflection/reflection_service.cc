#include <pagewire/reflection.h>
#include <pagewire/server_context.h>

#include <memory>
#include <optional>
#include <utility>

#include "call/server_call_state.h"
#include "grpc/reflection/v1/reflection.pagewire.h"
#include "reflection/reflector.h"

namespace pagewire {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

// One stream: reads a request, writes its answer, and so on. Lives in the callbacks of its operations.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  using Stream = AsyncServerReaderWriter<ServerReflectionResponse, ServerReflectionRequest>;
  using Done = absl::AnyInvocable<void(absl::Status)>;

  Conversation(Stream stream, reflection::Reflector reflector, Done done)
      : stream_(std::move(stream)), reflector_(std::move(reflector)), done_(std::move(done)) {}

  void ReadNext() {
    stream_.Read([self = shared_from_this()](absl::StatusOr<std::optional<ServerReflectionRequest>> request) {
      if (!request.ok() || !request->has_value()) return self->done_(std::move(request).status());
      self->Answer(**request);
    });
  }

 private:
  void Answer(const ServerReflectionRequest& request) {
    stream_.Write(reflector_.Answer(request), [self = shared_from_this()](absl::Status written) {
      if (!written.ok()) return self->done_(std::move(written));
      self->ReadNext();
    });
  }

  const Stream stream_;
  reflection::Reflector reflector_;
  Done done_;
};

}  // namespace

class ReflectionService::Impl final : public grpc::reflection::v1::ServerReflection::CallbackService {
 public:
  explicit Impl(const google::protobuf::DescriptorPool* pool) : pool_(*pool) {}

 private:
  void ServerReflectionInfo(ServerContext& context, Conversation::Stream stream, Conversation::Done done) override {
    const auto& services = internal::ServerContextAccess::State(context)->services;
    std::make_shared<Conversation>(std::move(stream), reflection::Reflector(pool_, services), std::move(done))
        ->ReadNext();
  }

  const google::protobuf::DescriptorPool& pool_;
};

ReflectionService::ReflectionService(const google::protobuf::DescriptorPool* pool)
    : impl_(std::make_unique<Impl>(pool)) {}
ReflectionService::~ReflectionService() = default;

Service* ReflectionService::service() { return impl_.get(); }

}  // namespace pagewire
