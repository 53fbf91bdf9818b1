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
  if (StreamsRequest(method.type)) return parameters;
  parameters.Add(absl::StrCat("const ", method.request_type, "&"), "request");
  if (HasRequestPayload(method.payload)) parameters.Add("::pagewire::Payload", "payload");
  return parameters;
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
  const std::string item = ItemOf(method.request_type, HasRequestPayload(method.payload));
  const std::string reply = ItemOf(method.response_type, HasResponsePayload(method.payload));
  const Parameters request = RequestOf(method);
  Parameters service_parameters = request;
  Parameters async_parameters = request;
  const auto add_stream = [&](const std::string& type, const std::string& name) {
    service_parameters.Add(absl::StrCat("::pagewire::", type, "&"), name);
    async_parameters.Add(absl::StrCat("::pagewire::Async", type), name);
  };
  std::string client_stream;
  variables["service_result"] = "::absl::Status";
  switch (method.type) {
    case MethodType::kUnary:
      variables["service_result"] = absl::StrCat("::absl::StatusOr<", reply, ">");
      break;
    case MethodType::kClientStreaming:
      client_stream = absl::StrCat("ClientWriter<", item, ", ", reply, ">");
      add_stream(absl::StrCat("ServerReader<", item, ">"), "reader");
      variables["service_result"] = absl::StrCat("::absl::StatusOr<", reply, ">");
      break;
    case MethodType::kServerStreaming:
      client_stream = absl::StrCat("ClientReader<", reply, ">");
      add_stream(absl::StrCat("ServerWriter<", reply, ">"), "writer");
      break;
    case MethodType::kBidiStreaming:
      client_stream = absl::StrCat("ClientReaderWriter<", item, ", ", reply, ">");
      add_stream(absl::StrCat("ServerReaderWriter<", reply, ", ", item, ">"), "stream");
      break;
  }
  variables["method"] = method.cpp_name;
  variables["wire_name"] = method.wire_name;
  variables["direction"] = Enumerator(method.payload);
  variables["type"] = Enumerator(method.type).substr(1);
  variables["index"] = absl::StrCat(index);
  variables["request"] = method.request_type;
  variables["handled"] = StreamsRequest(method.type) ? item : method.request_type;
  variables["reply"] = reply;
  variables["deprecated"] = method.deprecated ? "[[deprecated]] " : "";
  variables["client_stream"] = client_stream;
  variables["stub_result"] = client_stream.empty() ? absl::StrCat("::absl::StatusOr<", reply, ">")
                                                   : absl::StrCat("::std::unique_ptr<::pagewire::", client_stream, ">");
  variables["stub_parameters"] = request.named;
  variables["stub_types"] = request.types;
  variables["service_parameters"] = service_parameters.named;
  variables["service_types"] = service_parameters.types;
  variables["async_parameters"] = async_parameters.named;
  variables["async_types"] = async_parameters.types;
  variables["request_arguments"] = request.named.empty()               ? ""
                                   : HasRequestPayload(method.payload) ? ", request, ::std::move(payload)"
                                                                       : ", request";
  return variables;
}

}  // namespace pagewire::codegen
