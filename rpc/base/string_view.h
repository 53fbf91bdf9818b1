// Between std::string_view (our public vocabulary) and absl::string_view (which abseil's functions take).
//
// Debian's abseil is built with its own string_view type; elsewhere both names mean one type. The code below
// compiles in either case.
#pragma once

#include <absl/strings/string_view.h>

#include <string_view>

namespace pagewire::base {

inline absl::string_view ToAbsl(std::string_view text) { return absl::string_view(text.data(), text.size()); }
inline std::string_view ToStd(absl::string_view text) { return std::string_view(text.data(), text.size()); }

}  // namespace pagewire::base
