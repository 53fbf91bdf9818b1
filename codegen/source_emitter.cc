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
        PrintIntoForm(service);
        PrintServices(service);
        PrintCoroutines(service);
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
                     "     ::pagewire::MethodType::$type$$traits$},\n");
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
    PrintFormStart("Callback", service);
    ForEachMethod(file_, service, [this](const MethodModel& method, const Variables& variables) {
      if (method.type != MethodType::kUnary) return PrintStreamMethod("Callback", variables);
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

  void PrintIntoForm(const ServiceModel& service) {
    PrintFormStart("Into", service);
    ForEachMethod(file_, service, [this](const MethodModel& method, const Variables& variables) {
      if (method.type != MethodType::kUnary) return;
      printer_.Print(variables,
                     "\n"
                     "::absl::Status $service$::Stub::IntoForm::$method$(\n"
                     "    ::pagewire::ClientContext& context$into_parameters$) {\n"
                     "  return ::pagewire::internal::CallInto(\n"
                     "      channel_, $scope$::kMethods[$index$], context, request, $payload_argument$, "
                     "$into_arguments$);\n"
                     "}\n"
                     "void $service$::Stub::IntoForm::$method$(\n"
                     "    ::pagewire::ClientContext& context$into_parameters$,\n"
                     "    ::absl::AnyInvocable<void(::absl::Status)> done) {\n"
                     "  ::pagewire::internal::StartCallInto(\n"
                     "      channel_, $scope$::kMethods[$index$], context, request, $payload_argument$, "
                     "$into_arguments$,\n"
                     "      ::std::move(done));\n"
                     "}\n");
    });
  }

  void PrintCoForm(const ServiceModel& service) {
    PrintFormStart("Co", service);
    ForEachMethod(file_, service, [this](const MethodModel& method, const Variables& variables) {
      if (method.type != MethodType::kUnary) return PrintStreamMethod("Co", variables);
      printer_.Print(variables,
                     "\n"
                     "::pagewire::Awaitable<$stub_result$> $service$::Stub::CoForm::$method$(\n"
                     "    ::pagewire::ClientContext& context$stub_parameters$) {\n"
                     "  return ::pagewire::internal::AwaitCall<$reply$>(\n"
                     "      channel_, $scope$::kMethods[$index$], context$request_arguments$);\n"
                     "}\n");
    });
  }

  void PrintFormStart(const char* form, const ServiceModel& service) {
    Variables variables = ServiceVariables(file_, service);
    variables["form"] = form;
    printer_.Print(variables,
                   "\n"
                   "$service$::Stub::$form$Form $service$::Stub::$form$() { return $form$Form(channel_); }\n"
                   "$service$::Stub::$form$Form::$form$Form(::std::shared_ptr<::pagewire::Channel> channel)\n"
                   "    : channel_(::std::move(channel)) {}\n");
  }

  void PrintStreamMethod(const char* form, Variables variables) {
    variables["form"] = form;
    printer_.Print(variables,
                   "\n"
                   "::pagewire::Async$client_stream$ $service$::Stub::$form$Form::$method$(\n"
                   "    ::pagewire::ClientContext& context$stub_parameters$) {\n"
                   "  return ::pagewire::Async$client_stream$(\n"
                   "      ::pagewire::internal::StartStream(\n"
                   "          channel_, $scope$::kMethods[$index$], context$request_arguments$),\n"
                   "      $scope$::kMethods[$index$]);\n"
                   "}\n");
  }

  // A service class: how it adds its methods, and what they answer where they are not overridden.
  struct ServiceText {
    std::string adder;   // adds the handler
    std::string method;  // defines the method
  };
  // What is written for methods in any form; `method` differs.
  static ServiceText InForm(const char* method) {
    return {
        "  ::pagewire::internal::Add$adder$<::pagewire::internal::$form$, $handled$, $reply$>(\n"
        "      *this, $scope$::kMethods[$index$], &$scope$::$class$::$method$);\n",
        method};
  }
  void PrintServiceClass(const ServiceModel& service, const char* class_name, const char* form,
                         const ServiceText& unary, const ServiceText& streaming) {
    Variables variables = ServiceVariables(file_, service);
    variables["class"] = class_name;
    variables["form"] = form;
    printer_.Print(variables,
                   "\n"
                   "$service$::$class$::$class$() : ::pagewire::Service(\"$service_name$\") {");
    if (!service.methods.empty()) printer_.Print("\n");
    const auto for_each = [&](std::string ServiceText::*text) {
      ForEachMethod(file_, service, [&](const MethodModel& model, Variables method_variables) {
        method_variables.insert(variables.begin(), variables.end());
        printer_.Print(method_variables, ((model.type == MethodType::kUnary ? unary : streaming).*text).c_str());
      });
    };
    for_each(&ServiceText::adder);
    printer_.Print(variables,
                   "}\n"
                   "$service$::$class$::~$class$() = default;\n");
    for_each(&ServiceText::method);
  }
  void PrintServiceClass(const ServiceModel& service, const char* class_name, const char* form, const char* method) {
    PrintServiceClass(service, class_name, form, InForm(method), InForm(method));
  }

  void PrintServices(const ServiceModel& service) {
    constexpr char kBlocking[] =
        "\n"
        "$service_result$ $service$::$class$::$method$(\n"
        "    ::pagewire::ServerContext&$service_types$) {\n"
        "  return ::pagewire::internal::Unimplemented($scope$::kMethods[$index$]);\n"
        "}\n";
    PrintServiceClass(service, "Service", "BlockingForm", kBlocking);
    PrintServiceClass(service, "ArenaService", "BlockingForm",
                      {"  ::pagewire::internal::AddUnaryOnArena<$request$, $response$>(\n"
                       "      *this, $scope$::kMethods[$index$], &$scope$::$class$::$method$);\n",
                       "\n"
                       "::absl::Status $service$::ArenaService::$method$(\n"
                       "    ::pagewire::ServerContext&$into_types$) {\n"
                       "  return ::pagewire::internal::Unimplemented($scope$::kMethods[$index$]);\n"
                       "}\n"},
                      InForm(kBlocking));
    PrintServiceClass(service, "CallbackService", "CallbackForm",
                      "\n"
                      "void $service$::CallbackService::$method$(\n"
                      "    ::pagewire::ServerContext&$async_types$,\n"
                      "    ::absl::AnyInvocable<void($service_result$)> done) {\n"
                      "  done(::pagewire::internal::Unimplemented($scope$::kMethods[$index$]));\n"
                      "}\n");
  }

  void PrintCoroutines(const ServiceModel& service) {
    printer_.Print("\n#ifdef __cpp_impl_coroutine\n");
    PrintCoForm(service);
    PrintServiceClass(service, "CoService", "TaskForm",
                      "\n"
                      "::pagewire::Task<$service_result$> $service$::CoService::$method$(\n"
                      "    ::pagewire::ServerContext&$async_types$) {\n"
                      "  co_return ::pagewire::internal::Unimplemented($scope$::kMethods[$index$]);\n"
                      "}\n");
    printer_.Print("\n#endif  // __cpp_impl_coroutine\n");
  }

  const FileModel& file_;
  Printer& printer_;
};

}  // namespace

std::string EmitSource(const FileModel& file) {
  return PrintToString([&](Printer& printer) { SourceEmitter(file, printer).Emit(); });
}

}  // namespace pagewire::codegen
