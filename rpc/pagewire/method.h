// What a client and a server know of a method before it is called.
#pragma once

#include <string_view>

namespace pagewire {

// Which messages of a method have a Payload beside them: the option (pagewire.payload) of its definition.
enum class PayloadDirection {
  kNone,
  kRequest,
  kResponse,
  kBoth,
};

// Generated code holds its methods in static storage; the library keeps references to them.
struct Method {
  std::string_view name;  // as on the wire: "/package.Service/Method"
  PayloadDirection payload = PayloadDirection::kNone;
};

constexpr bool HasRequestPayload(const Method& method) {
  return method.payload == PayloadDirection::kRequest || method.payload == PayloadDirection::kBoth;
}

constexpr bool HasResponsePayload(const Method& method) {
  return method.payload == PayloadDirection::kResponse || method.payload == PayloadDirection::kBoth;
}

}  // namespace pagewire
