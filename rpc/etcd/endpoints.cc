#include "etcd/endpoints.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <absl/time/time.h>

#include "base/string_view.h"

namespace pagewire::etcd {
namespace {

// Longer than anybody waits, and within what curl can count.
constexpr absl::Duration kLongestTimeout = absl::Hours(1);

bool IsEndpoint(const std::string& text) {
  absl::string_view host = text;
  if (!absl::ConsumePrefix(&host, "http://") && !absl::ConsumePrefix(&host, "https://")) return false;
  absl::ConsumeSuffix(&host, "/");
  return !host.empty() && host.find_first_of("/?#@ ") == absl::string_view::npos;
}

}  // namespace

absl::Status CheckOptions(const EtcdOptions& options) {
  if (options.endpoints.empty()) {
    return absl::InvalidArgumentError("EtcdOptions::endpoints is empty: name at least one member of the cluster");
  }
  for (const std::string& endpoint : options.endpoints) {
    if (IsEndpoint(endpoint)) continue;
    return absl::InvalidArgumentError(absl::StrCat("EtcdOptions::endpoints has \"", absl::CHexEscape(endpoint),
                                                   "\": expected \"http://host:port\" or \"https://host:port\""));
  }
  if (options.timeout < absl::Milliseconds(1) || options.timeout > kLongestTimeout) {
    return absl::InvalidArgumentError(absl::StrCat("EtcdOptions::timeout is ", absl::FormatDuration(options.timeout),
                                                   ": it must be from 1ms to ", absl::FormatDuration(kLongestTimeout)));
  }
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return absl::InvalidArgumentError("EtcdOptions::certificate_file and key_file go together: set both or neither");
  }
  return absl::OkStatus();
}

std::string Endpoints::Url(std::string_view path) const {
  return absl::StrCat(absl::StripSuffix(current(), "/"), base::ToAbsl(path));
}

}  // namespace pagewire::etcd
