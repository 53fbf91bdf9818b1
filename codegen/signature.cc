#include "codegen/signature.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
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

}  // namespace

Variables ServiceVariables(const FileModel& file, const ServiceModel& service) {
  std::string scope;
  for (const std::string& name : file.cpp_namespaces) absl::StrAppend(&scope, "::", name);
  return {{"service", service.cpp_name},
          {"service_name", service.full_name},
          {"scope", absl::StrCat(scope, "::", service.cpp_name)},
          {"methods", absl::StrCat(GeneratedMethods(service))}};
}

Variables MethodVariables(const FileModel& file, const ServiceModel& service, const MethodModel& method, int index) {
  Variables variables = ServiceVariables(file, service);
  const std::string reply = HasResponsePayload(method.payload)
                                ? absl::StrCat("::pagewire::WithPayload<", method.response_type, ">")
                                : method.response_type;
  variables["method"] = method.cpp_name;
  variables["wire_name"] = method.wire_name;
  variables["direction"] = Enumerator(method.payload);
  variables["index"] = absl::StrCat(index);
  variables["request"] = method.request_type;
  variables["reply"] = reply;
  variables["result"] = absl::StrCat("::absl::StatusOr<", reply, ">");
  variables["payload_parameter"] = HasRequestPayload(method.payload) ? ", ::pagewire::Payload payload" : "";
  variables["payload_type"] = HasRequestPayload(method.payload) ? ", ::pagewire::Payload" : "";
  variables["deprecated"] = method.deprecated ? "[[deprecated]] " : "";
  return variables;
}

int GeneratedMethods(const ServiceModel& service) {
  return static_cast<int>(std::count_if(service.methods.begin(), service.methods.end(),
                                        [](const auto& method) { return !method.streams; }));
}

}  // namespace pagewire::codegen
