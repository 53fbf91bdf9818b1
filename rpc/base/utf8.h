// Texts from elsewhere, made fit to be shown.
#pragma once

#include <string>
#include <string_view>

namespace pagewire::base {

// `text` with "?" for every byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7), and for every control
// character (Unicode's category Cc) other than the line feed.
std::string PrintableUtf8(std::string_view text);

}  // namespace pagewire::base
