#include "codegen/model_builder.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <pagewire/options.pb.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codegen/names.h"

namespace pagewire::codegen {
namespace {

namespace cpp = google::protobuf::compiler::cpp;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using google::protobuf::SourceLocation;

Comments ToComments(const SourceLocation& location) {
  return {location.leading_detached_comments, location.leading_comments, location.trailing_comments};
}

// What protoc and this plugin declare in the file's namespace: C++ name to what it stands for in the .proto.
using Declared = std::map<std::string, std::string>;

void Declare(const EnumDescriptor& type, Declared& declared) {
  declared.emplace(cpp::ClassName(&type), absl::StrCat("enum \"", type.full_name(), "\""));
  for (int i = 0; i < type.value_count(); ++i) {
    const std::string prefix = type.containing_type() != nullptr ? absl::StrCat(cpp::ClassName(&type), "_") : "";
    declared.emplace(absl::StrCat(prefix, cpp::EnumValueName(type.value(i))),
                     absl::StrCat("enum value \"", type.value(i)->full_name(), "\""));
  }
}

void Declare(const Descriptor& message, Declared& declared) {
  declared.emplace(cpp::ClassName(&message), absl::StrCat("message \"", message.full_name(), "\""));
  for (int i = 0; i < message.nested_type_count(); ++i) Declare(*message.nested_type(i), declared);
  for (int i = 0; i < message.enum_type_count(); ++i) Declare(*message.enum_type(i), declared);
}

class Builder {
 public:
  Builder(const FileDescriptor& file, Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {
    for (int i = 0; i < file.message_type_count(); ++i) Declare(*file.message_type(i), declared_);
    for (int i = 0; i < file.enum_type_count(); ++i) Declare(*file.enum_type(i), declared_);
  }

  FileModel Build() {
    FileModel model;
    model.proto = file_.name();
    model.base = cpp::StripProto(file_.name());
    model.cpp_namespaces = CppNamespaces(file_);
    CheckNamespaces(model.cpp_namespaces);
    if (const auto location = LocationOf({FileDescriptorProto::kSyntaxFieldNumber})) {
      model.comments = ToComments(*location);
    }
    for (int i = 0; i < file_.service_count(); ++i) model.services.push_back(BuildService(*file_.service(i)));
    return model;
  }

 private:
  ServiceModel BuildService(const ServiceDescriptor& service) {
    ServiceModel model;
    model.full_name = service.full_name();
    model.cpp_name = CppServiceName(service);
    model.deprecated = service.options().deprecated();
    model.comments = CommentsOf(service);
    CheckService(service, model.cpp_name);

    Declared methods;
    for (int i = 0; i < service.method_count(); ++i) {
      const MethodDescriptor& method = *service.method(i);
      model.methods.push_back(BuildMethod(method));
      const auto [first, added] = methods.emplace(model.methods.back().cpp_name, method.name());
      if (!added) {
        Error(method, absl::StrCat("methods \"", first->second, "\" and \"", method.name(), "\" of service \"",
                                   service.full_name(), "\" are both \"", first->first, "\" in C++; rename one"));
      }
    }
    return model;
  }

  static MethodType TypeOf(const MethodDescriptor& method) {
    if (method.client_streaming()) {
      return method.server_streaming() ? MethodType::kBidiStreaming : MethodType::kClientStreaming;
    }
    return method.server_streaming() ? MethodType::kServerStreaming : MethodType::kUnary;
  }

  MethodModel BuildMethod(const MethodDescriptor& method) {
    MethodModel model;
    model.name = method.name();
    model.cpp_name = CppMethodName(method);
    model.wire_name = absl::StrCat("/", method.service()->full_name(), "/", method.name());
    model.request_type = CppType(*method.input_type());
    model.response_type = CppType(*method.output_type());
    model.payload = Direction(method);
    model.type = TypeOf(method);
    model.idempotent = method.options().idempotency_level() != google::protobuf::MethodOptions::IDEMPOTENCY_UNKNOWN;
    model.piecewise = method.options().GetExtension(pagewire::piecewise);
    if (model.piecewise) {
      CheckPiecewise(method, model);
      model.type = PiecewiseType(model.payload);
    }
    model.deprecated = method.options().deprecated();
    model.comments = CommentsOf(method);
    return model;
  }

  static MethodType PiecewiseType(PayloadDirection payload) {
    if (payload == PayloadDirection::kBoth) return MethodType::kBidiStreaming;
    return payload == PayloadDirection::kRequest ? MethodType::kClientStreaming : MethodType::kServerStreaming;
  }

  void CheckPiecewise(const MethodDescriptor& method, const MethodModel& model) {
    if (model.type != MethodType::kUnary) {
      Error(method,
            "option (pagewire.piecewise) is for methods without streams; each message of a stream has a payload of its "
            "own. Remove the option, or \"stream\"");
    }
    if (model.payload == PayloadDirection::kNone) {
      Error(method,
            "option (pagewire.piecewise) says how payloads travel, and the method has none; add option "
            "(pagewire.payload) = REQUEST, RESPONSE or BOTH");
    }
  }

  void CheckNamespaces(const std::vector<std::string>& namespaces) {
    for (const std::string& name : namespaces) {
      if (!IsKeyword(name)) continue;
      diagnostics_.push_back(
          At(LocationOf({FileDescriptorProto::kPackageFieldNumber}),
             absl::StrCat("package \"", file_.package(), "\": \"", name,
                          "\" is a word of C++, and protoc's own C++ output does not compile; rename the package")));
    }
  }

  void CheckService(const ServiceDescriptor& service, const std::string& cpp_name) {
    if (file_.options().cc_generic_services()) {
      Error(service, absl::StrCat("option cc_generic_services makes protoc declare a class for service \"",
                                  service.full_name(), "\" too; remove the option"));
    }
    const auto [other, added] = declared_.emplace(cpp_name, absl::StrCat("service \"", service.full_name(), "\""));
    if (!added) {
      Error(service, absl::StrCat("service \"", service.full_name(), "\" is \"", cpp_name, "\" in C++, and so is ",
                                  other->second, "; rename one"));
    }
  }

  PayloadDirection Direction(const MethodDescriptor& method) {
    switch (method.options().GetExtension(pagewire::payload)) {
      case MethodPayload::REQUEST:
        return PayloadDirection::kRequest;
      case MethodPayload::RESPONSE:
        return PayloadDirection::kResponse;
      case MethodPayload::BOTH:
        return PayloadDirection::kBoth;
      default:
        break;
    }
    // Where protobuf keeps values that the enum does not have.
    const google::protobuf::UnknownFieldSet& unknown = method.options().unknown_fields();
    for (int i = 0; i < unknown.field_count(); ++i) {
      if (unknown.field(i).number() != pagewire::kPayloadFieldNumber) continue;
      Error(method,
            "option (pagewire.payload) has a value that this protoc-gen-pagewire does not know; it knows NONE, "
            "REQUEST, RESPONSE and BOTH. Use the plugin and the pagewire/options.proto of one version");
    }
    return PayloadDirection::kNone;
  }

  std::optional<SourceLocation> LocationOf(const std::vector<int>& path) const {
    SourceLocation location;
    return file_.GetSourceLocation(path, &location) ? std::optional(location) : std::nullopt;
  }

  template <typename Element>
  static std::optional<SourceLocation> LocationOf(const Element& element) {
    SourceLocation location;
    return element.GetSourceLocation(&location) ? std::optional(location) : std::nullopt;
  }

  template <typename Element>
  static Comments CommentsOf(const Element& element) {
    const auto location = LocationOf(element);
    return location.has_value() ? ToComments(*location) : Comments();
  }

  Diagnostic At(const std::optional<SourceLocation>& location, std::string text) const {
    if (!location.has_value()) return {file_.name(), 0, 0, std::move(text)};
    return {file_.name(), location->start_line + 1, location->start_column + 1, std::move(text)};
  }

  template <typename Element>
  void Error(const Element& element, std::string text) {
    diagnostics_.push_back(At(LocationOf(element), std::move(text)));
  }

  const FileDescriptor& file_;
  Diagnostics& diagnostics_;
  Declared declared_;
};

}  // namespace

FileModel BuildModel(const FileDescriptor& file, Diagnostics& diagnostics) {
  return Builder(file, diagnostics).Build();
}

}  // namespace pagewire::codegen
