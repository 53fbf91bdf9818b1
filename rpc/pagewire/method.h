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

constexpr bool HasRequestPayload(PayloadDirection direction) {
  return direction == PayloadDirection::kRequest || direction == PayloadDirection::kBoth;
}

constexpr bool HasResponsePayload(PayloadDirection direction) {
  return direction == PayloadDirection::kResponse || direction == PayloadDirection::kBoth;
}

// Which side of a method sends a stream of messages instead of one.
enum class MethodType {
  kUnary,
  kClientStreaming,
  kServerStreaming,
  kBidiStreaming,
};

constexpr bool StreamsRequest(MethodType type) {
  return type == MethodType::kClientStreaming || type == MethodType::kBidiStreaming;
}

// Generated code holds its methods in static storage; the library keeps references to them.
struct Method {
  std::string_view name;  // as on the wire: "/package.Service/Method"
  PayloadDirection payload = PayloadDirection::kNone;
  MethodType type = MethodType::kUnary;

  // The option (pagewire.piecewise): the payloads that `payload` names travel as streams of pieces, each behind the one
  // message of its direction. `type` says which directions are streams then, and the definition that neither is one.
  bool piecewise = false;

  // The option idempotency_level of its definition is IDEMPOTENT or NO_SIDE_EFFECTS: a call that may have run may be
  // made again.
  bool idempotent = false;
};

}  // namespace pagewire
