#include "codegen/source_emitter.h"

#include <google/protobuf/io/printer.h>

#include <string>

#include "codegen/output.h"
#include "codegen/signature.h"

namespace pagewire::codegen {
namespace {

using google::protobuf::io::Printer;

class SourceEmitter {
 public:
  SourceEmitter(const FileModel& file, Printer& printer) : file_(file), printer_(printer) {}

  void Emit() {
    PrintOrigin(file_, printer_);
    printer_.Print("#include \"$base$.pagewire.h\"\n", "base", file_.base);
    if (!file_.services.empty()) {
      printer_.Print(
          "\n"
          "#include <pagewire/internal/unary.h>\n"
          "\n"
          "#include <utility>\n");
    }
    PrintInNamespace(file_, printer_, [this] {
      for (const ServiceModel& service : file_.services) {
        PrintMethodTable(service);
        PrintStub(service);
        PrintCallbackForm(service);
        PrintService(service);
      }
    });
  }

 private:
  void PrintMethodTable(const ServiceModel& service) {
    if (GeneratedMethods(service) == 0) return;
    printer_.Print(ServiceVariables(file_, service),
                   "\n"
                   "constinit const ::pagewire::Method $service$::kMethods[$methods$] = {\n");
    ForEachMethod(file_, service, [this](const MethodModel&, const Variables& method) {
      printer_.Print(method, "    {\"$wire_name$\", ::pagewire::PayloadDirection::$direction$},\n");
    });
    printer_.Print("};\n");
  }

  void PrintStub(const ServiceModel& service) {
    printer_.Print(ServiceVariables(file_, service),
                   "\n"
                   "$service$::Stub::Stub(::std::shared_ptr<::pagewire::Channel> channel) : "
                   "channel_(::std::move(channel)) {}\n"
                   "$service$::Stub::Stub() = default;\n"
                   "$service$::Stub::~Stub() = default;\n");
    ForEachMethod(file_, service, [this](const MethodModel& method, Variables variables) {
      variables["payload_argument"] = HasRequestPayload(method.payload) ? ", ::std::move(payload)" : "";
      printer_.Print(variables,
                     "\n"
                     "$result$ $service$::Stub::$method$(\n"
                     "    ::pagewire::ClientContext& context, const $request$& request$payload_parameter$) {\n"
                     "  return ::pagewire::internal::Call<$reply$>(\n"
                     "      channel_, $scope$::kMethods[$index$], context, request$payload_argument$);\n"
                     "}\n");
    });
  }

  void PrintCallbackForm(const ServiceModel& service) {
    printer_.Print(ServiceVariables(file_, service),
                   "\n"
                   "$service$::Stub::CallbackForm $service$::Stub::Callback() { return CallbackForm(channel_); }\n"
                   "$service$::Stub::CallbackForm::CallbackForm(::std::shared_ptr<::pagewire::Channel> channel)\n"
                   "    : channel_(::std::move(channel)) {}\n");
    ForEachMethod(file_, service, [this](const MethodModel& method, Variables variables) {
      variables["payload_argument"] =
          HasRequestPayload(method.payload) ? "::std::move(payload)" : "::pagewire::Payload()";
      printer_.Print(variables,
                     "\n"
                     "void $service$::Stub::CallbackForm::$method$(\n"
                     "    ::pagewire::ClientContext& context, const $request$& request$payload_parameter$,\n"
                     "    ::absl::AnyInvocable<void($result$)> done) {\n"
                     "  ::pagewire::internal::StartCall<$reply$>(\n"
                     "      channel_, $scope$::kMethods[$index$], context, request, $payload_argument$, "
                     "::std::move(done));\n"
                     "}\n");
    });
  }

  void PrintService(const ServiceModel& service) {
    const Variables variables = ServiceVariables(file_, service);
    printer_.Print(variables,
                   "\n"
                   "$service$::Service::Service() : ::pagewire::Service(\"$service_name$\") {");
    if (GeneratedMethods(service) > 0) printer_.Print("\n");
    ForEachMethod(file_, service, [this](const MethodModel&, const Variables& method) {
      printer_.Print(method,
                     "  ::pagewire::internal::AddUnary(*this, $scope$::kMethods[$index$], "
                     "&$scope$::Service::$method$);\n");
    });
    printer_.Print(variables,
                   "}\n"
                   "$service$::Service::~Service() = default;\n");
    ForEachMethod(file_, service, [this](const MethodModel&, const Variables& method) {
      printer_.Print(method,
                     "\n"
                     "$result$ $service$::Service::$method$(\n"
                     "    ::pagewire::ServerContext&, const $request$&$payload_type$) {\n"
                     "  return ::pagewire::internal::Unimplemented($scope$::kMethods[$index$]);\n"
                     "}\n");
    });
  }

  const FileModel& file_;
  Printer& printer_;
};

}  // namespace

std::string EmitSource(const FileModel& file) {
  return PrintToString([&](Printer& printer) { SourceEmitter(file, printer).Emit(); });
}

}  // namespace pagewire::codegen
