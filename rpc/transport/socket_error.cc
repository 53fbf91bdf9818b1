#include "transport/socket_error.h"

#include <absl/strings/str_cat.h>

#include <cerrno>
#include <cstring>

#include "base/string_view.h"

namespace pagewire::transport {

std::string ErrnoText(int error) {
  const char* const text = strerrordesc_np(error);
  const char* const name = strerrorname_np(error);
  if (text == nullptr || name == nullptr) return absl::StrCat("error ", error);
  return absl::StrCat(text, " (", name, ")");
}

absl::Status SocketError(std::string_view what, int error) {
  const std::string message = absl::StrCat(base::ToAbsl(what), ": ", ErrnoText(error));
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
      return absl::ResourceExhaustedError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace pagewire::transport
