#include <absl/strings/str_cat.h>
#include <pagewire/admin.h>
#include <pagewire/log.h>

#include <map>
#include <string>
#include <utility>

#include "admin/exposition.h"
#include "admin/http_server.h"
#include "base/utf8.h"

namespace pagewire {

class AdminServer::Impl {
 public:
  explicit Impl(std::unique_ptr<admin::HttpServer> http)
      : http_(std::move(http)), address_(http_->address().ToString()) {}

  const std::string& address() const { return address_; }
  int port() const { return http_->address().port(); }

 private:
  const std::unique_ptr<admin::HttpServer> http_;
  const std::string address_;
};

namespace {

admin::HttpAnswer Healthz(const std::function<absl::Status()>& health) {
  const absl::Status status = health == nullptr ? absl::OkStatus() : health();
  if (status.ok()) return {.body = "ok\n"};
  return {.status = 503, .body = base::PrintableUtf8(status.ToString()) + "\n"};
}

}  // namespace

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() = default;

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(AdminServerOptions options) {
  std::map<std::string, admin::HttpPage> pages;
  pages["/healthz"] = [health = std::move(options.health)] { return Healthz(health); };
  if (options.metrics != nullptr) {
    pages["/metrics"] = [metrics = std::move(options.metrics)] {
      return admin::HttpAnswer{.content_type = std::string(admin::kExpositionContentType),
                               .body = metrics->PrometheusText()};
    };
  }
  auto http = admin::HttpServer::Start(options.address, std::move(pages));
  if (!http.ok()) return std::move(http).status();
  if (!(*http)->address().is_loopback()) {
    Log(LogSeverity::kWarning,
        absl::StrCat("the admin server listens on ", (*http)->address().ToString(),
                     ": whoever reaches that address may read, without being asked who they are"));
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::make_unique<Impl>(*std::move(http))));
}

const std::string& AdminServer::address() const { return impl_->address(); }
int AdminServer::port() const { return impl_->port(); }

}  // namespace pagewire
