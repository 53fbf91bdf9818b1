// Texts of peers, made fit for a message.
#pragma once

#include <string>
#include <string_view>

namespace pagewire::admin_service {

// The longest that a peer's text is shown.
inline constexpr size_t kMaxTextBytes = 256;

// Cut to kMaxTextBytes, with "?" for what cannot be printed; see base::PrintableUtf8. A message's strings must be
// UTF-8, and line feeds would make one text look like several.
std::string Shown(std::string_view text);

}  // namespace pagewire::admin_service
