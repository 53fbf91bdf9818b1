// What every method is for a generic service.
#pragma once

#include <pagewire/method.h>

namespace pagewire::server {

// No name that a client could send begins without a slash.
inline constexpr Method kGenericMethod{"<generic>", PayloadDirection::kBoth, MethodType::kBidiStreaming};

}  // namespace pagewire::server
