// What the system says about sockets, as texts and statuses.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

namespace pagewire::transport {

// "Connection refused (ECONNREFUSED)".
std::string ErrnoText(int error);

// "`what`: Connection refused (ECONNREFUSED)". RESOURCE_EXHAUSTED for a lack of descriptors or memory,
// PERMISSION_DENIED for missing rights, UNAVAILABLE for everything else.
absl::Status SocketError(std::string_view what, int error);

}  // namespace pagewire::transport
