#include "admin_service/shown_text.h"

#include <algorithm>

#include "base/utf8.h"

namespace pagewire::admin_service {

std::string Shown(std::string_view text) {
  std::string shown = base::PrintableUtf8(text.substr(0, kMaxTextBytes));
  std::replace(shown.begin(), shown.end(), '\n', '?');
  return shown;
}

}  // namespace pagewire::admin_service
