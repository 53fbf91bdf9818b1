#include <pagewire/authorizer.h>
#include <pagewire/server_context.h>

#include <utility>

#include "server/policy_file.h"

namespace pagewire {
namespace {

class Authorizer final : public ServerInterceptor {
 public:
  explicit Authorizer(std::unique_ptr<server::PolicyFile> file) : file_(std::move(file)) {}

  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method&, ServerContext& context) override {
    // The name that was called: a generic service has one Method for all.
    absl::Status status =
        file_->Current()->Check({context.method(), context.peer_identity(), context.client_metadata()});
    if (!status.ok()) return status;
    return nullptr;
  }

 private:
  const std::unique_ptr<server::PolicyFile> file_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<ServerInterceptor>> PolicyFileAuthorizer(std::string path, PolicyFileOptions options) {
  absl::StatusOr<std::unique_ptr<server::PolicyFile>> file =
      server::PolicyFile::Open(std::move(path), std::move(options.clock));
  if (!file.ok()) return std::move(file).status();
  return std::make_shared<Authorizer>(*std::move(file));
}

}  // namespace pagewire
