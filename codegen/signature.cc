#include "codegen/signature.h"

#include <absl/strings/str_cat.h>

#include <string>

namespace pagewire::codegen {
namespace {

std::string Enumerator(PayloadDirection direction) {
  switch (direction) {
    case PayloadDirection::kNone:
      return "kNone";
    case PayloadDirection::kRequest:
      return "kRequest";
    case PayloadDirection::kResponse:
      return "kResponse";
    case PayloadDirection::kBoth:
      return "kBoth";
  }
  return "";
}

std::string Enumerator(MethodType type) {
  switch (type) {
    case MethodType::kUnary:
      return "kUnary";
    case MethodType::kClientStreaming:
      return "kClientStreaming";
    case MethodType::kServerStreaming:
      return "kServerStreaming";
    case MethodType::kBidiStreaming:
      return "kBidiStreaming";
  }
  return "";
}

std::string ItemOf(const std::string& message, bool has_payload) {
  return has_payload ? absl::StrCat("::pagewire::WithPayload<", message, ">") : message;
}

// What a type is called with: `name` for each of the parameters, or nothing.
struct Parameters {
  std::string named;
  std::string types;
  void Add(const std::string& type, const std::string& name) {
    absl::StrAppend(&named, ", ", type, " ", name);
    absl::StrAppend(&types, ", ", type);
  }
};

Parameters RequestOf(const MethodModel& method) {
  Parameters parameters;
  if (StreamsRequest(method.type) && !method.piecewise) return parameters;
  parameters.Add(absl::StrCat("const ", method.request_type, "&"), "request");
  if (HasRequestPayload(method.payload) && !method.piecewise) parameters.Add("::pagewire::Payload", "payload");
  return parameters;
}

// The classes of the two ends of a method with streams, without their prefixes.
struct StreamClasses {
  std::string client;
  std::string server;
  std::string server_name;  // of the parameter
};

StreamClasses StreamsOf(const MethodModel& method, const std::string& item, const std::string& reply) {
  switch (method.type) {
    case MethodType::kUnary:
      break;
    case MethodType::kClientStreaming:
      return {absl::StrCat("ClientWriter<", item, ", ", reply, ">"), absl::StrCat("ServerReader<", item, ">"),
              "reader"};
    case MethodType::kServerStreaming:
      return {absl::StrCat("ClientReader<", reply, ">"), absl::StrCat("ServerWriter<", reply, ">"), "writer"};
    case MethodType::kBidiStreaming:
      return {absl::StrCat("ClientReaderWriter<", item, ", ", reply, ">"),
              absl::StrCat("ServerReaderWriter<", reply, ", ", item, ">"), "stream"};
  }
  return {};
}

StreamClasses PieceStreamsOf(const MethodModel& method) {
  const std::string& reply = method.response_type;
  switch (method.payload) {
    case PayloadDirection::kNone:
      break;
    case PayloadDirection::kRequest:
      return {absl::StrCat("ClientWriter<::pagewire::Payload, ", reply, ">"), "ServerReader<::pagewire::Payload>",
              "pieces"};
    case PayloadDirection::kResponse:
      return {absl::StrCat("ClientPieceReader<", reply, ">"), absl::StrCat("ServerPieceWriter<", reply, ">"), "pieces"};
    case PayloadDirection::kBoth:
      return {absl::StrCat("ClientPieceReaderWriter<", reply, ">"),
              absl::StrCat("ServerPieceReaderWriter<", reply, ">"), "pieces"};
  }
  return {};
}

// What adds a method's handler, without its "Add".
std::string AdderOf(const MethodModel& method) {
  if (method.piecewise) return absl::StrCat("PiecesOf", Enumerator(method.payload).substr(1));
  return Enumerator(method.type).substr(1);
}

}  // namespace

Variables ServiceVariables(const FileModel& file, const ServiceModel& service) {
  std::string scope;
  for (const std::string& name : file.cpp_namespaces) absl::StrAppend(&scope, "::", name);
  return {{"service", service.cpp_name},
          {"service_name", service.full_name},
          {"scope", absl::StrCat(scope, "::", service.cpp_name)},
          {"methods", absl::StrCat(service.methods.size())}};
}

Variables MethodVariables(const FileModel& file, const ServiceModel& service, const MethodModel& method, int index) {
  Variables variables = ServiceVariables(file, service);
  const bool whole = !method.piecewise;
  const std::string item = ItemOf(method.request_type, whole && HasRequestPayload(method.payload));
  const std::string reply = ItemOf(method.response_type, whole && HasResponsePayload(method.payload));
  const StreamClasses streams = whole ? StreamsOf(method, item, reply) : PieceStreamsOf(method);
  const Parameters request = RequestOf(method);
  Parameters service_parameters = request;
  Parameters async_parameters = request;
  if (!streams.server.empty()) {
    service_parameters.Add(absl::StrCat("::pagewire::", streams.server, "&"), streams.server_name);
    async_parameters.Add(absl::StrCat("::pagewire::Async", streams.server), streams.server_name);
  }
  Parameters into = request;
  into.Add(absl::StrCat(method.response_type, "&"), "reply");
  const bool fills_payload = HasResponsePayload(method.payload);
  if (fills_payload) into.Add("::pagewire::Payload&", "reply_payload");
  const bool one_response = method.type == MethodType::kUnary || method.type == MethodType::kClientStreaming;
  variables["method"] = method.cpp_name;
  variables["wire_name"] = method.wire_name;
  variables["direction"] = Enumerator(method.payload);
  variables["type"] = Enumerator(method.type);
  variables["traits"] = method.idempotent  ? absl::StrCat(", ", method.piecewise ? "true" : "false", ", true")
                        : method.piecewise ? ", true"
                                           : "";
  variables["adder"] = AdderOf(method);
  variables["service_result"] = one_response ? absl::StrCat("::absl::StatusOr<", reply, ">") : "::absl::Status";
  variables["index"] = absl::StrCat(index);
  variables["request"] = method.request_type;
  variables["handled"] = StreamsRequest(method.type) && whole ? item : method.request_type;
  variables["response"] = method.response_type;
  variables["reply"] = reply;
  variables["deprecated"] = method.deprecated ? "[[deprecated]] " : "";
  variables["client_stream"] = streams.client;
  variables["stub_result"] = streams.client.empty()
                                 ? absl::StrCat("::absl::StatusOr<", reply, ">")
                                 : absl::StrCat("::std::unique_ptr<::pagewire::", streams.client, ">");
  variables["stub_parameters"] = request.named;
  variables["stub_types"] = request.types;
  variables["service_parameters"] = service_parameters.named;
  variables["service_types"] = service_parameters.types;
  variables["async_parameters"] = async_parameters.named;
  variables["async_types"] = async_parameters.types;
  variables["into_parameters"] = into.named;
  variables["into_types"] = into.types;
  variables["into_arguments"] = fills_payload ? "reply, &reply_payload" : "reply, nullptr";
  variables["payload_argument"] = HasRequestPayload(method.payload) ? "::std::move(payload)" : "::pagewire::Payload()";
  variables["request_arguments"] = request.named.empty()                        ? ""
                                   : whole && HasRequestPayload(method.payload) ? ", request, ::std::move(payload)"
                                                                                : ", request";
  return variables;
}

}  // namespace pagewire::codegen
