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
          "#include <pagewire/internal/generated.h>\n"
          "\n"
          "#include <memory>\n"
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
    if (service.methods.empty()) return;
    printer_.Print(ServiceVariables(file_, service),
                   "\n"
                   "constinit const ::pagewire::Method $service$::kMethods[$methods$] = {\n");
    ForEachMethod(file_, service, [this](const MethodModel&, const Variables& method) {
      printer_.Print(method,
                     "    {\"$wire_name$\", ::pagewire::PayloadDirection::$direction$,\n"
                     "     ::pagewire::MethodType::$type$},\n");
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
    ForEachMethod(file_, service, [this](const MethodModel& method, const Variables& variables) {
      printer_.Print(variables,
                     "\n"
                     "$stub_result$ $service$::Stub::$method$(\n"
                     "    ::pagewire::ClientContext& context$stub_parameters$) {\n");
      if (method.type == MethodType::kUnary) {
        printer_.Print(variables,
                       "  return ::pagewire::internal::Call<$reply$>(\n"
                       "      channel_, $scope$::kMethods[$index$], context$request_arguments$);\n"
                       "}\n");
      } else {
        printer_.Print(variables,
                       "  return ::std::make_unique<::pagewire::internal::Blocking$client_stream$>(\n"
                       "      ::pagewire::internal::StartStream(\n"
                       "          channel_, $scope$::kMethods[$index$], context$request_arguments$),\n"
                       "      $scope$::kMethods[$index$]);\n"
                       "}\n");
      }
    });
  }

  void PrintCallbackForm(const ServiceModel& service) {
    printer_.Print(ServiceVariables(file_, service),
                   "\n"
                   "$service$::Stub::CallbackForm $service$::Stub::Callback() { return CallbackForm(channel_); }\n"
                   "$service$::Stub::CallbackForm::CallbackForm(::std::shared_ptr<::pagewire::Channel> channel)\n"
                   "    : channel_(::std::move(channel)) {}\n");
    ForEachMethod(file_, service, [this](const MethodModel& method, Variables variables) {
      if (method.type != MethodType::kUnary) return;
      variables["payload_argument"] =
          HasRequestPayload(method.payload) ? "::std::move(payload)" : "::pagewire::Payload()";
      printer_.Print(variables,
                     "\n"
                     "void $service$::Stub::CallbackForm::$method$(\n"
                     "    ::pagewire::ClientContext& context$stub_parameters$,\n"
                     "    ::absl::AnyInvocable<void($stub_result$)> done) {\n"
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
    if (!service.methods.empty()) printer_.Print("\n");
    ForEachMethod(file_, service, [this](const MethodModel& model, Variables method) {
      method["add"] = model.type == MethodType::kUnary ? "AddUnary" : "AddStreaming";
      printer_.Print(method,
                     "  ::pagewire::internal::$add$(*this, $scope$::kMethods[$index$], "
                     "&$scope$::Service::$method$);\n");
    });
    printer_.Print(variables,
                   "}\n"
                   "$service$::Service::~Service() = default;\n");
    ForEachMethod(file_, service, [this](const MethodModel&, const Variables& method) {
      printer_.Print(method,
                     "\n"
                     "$service_result$ $service$::Service::$method$(\n"
                     "    ::pagewire::ServerContext&$service_types$) {\n"
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
