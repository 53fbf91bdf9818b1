#include "codegen/header_emitter.h"

#include <google/protobuf/io/printer.h>

#include <string>

#include "codegen/comments.h"
#include "codegen/output.h"
#include "codegen/signature.h"

namespace pagewire::codegen {
namespace {

using google::protobuf::io::Printer;

class HeaderEmitter {
 public:
  HeaderEmitter(const FileModel& file, const Options& options, Printer& printer)
      : file_(file), options_(options), printer_(printer) {}

  void Emit() {
    PrintOrigin(file_, printer_);
    printer_.Print("\n");
    PrintComments(file_.comments, printer_);
    PrintGuarded(file_, "_H", printer_, [this] {
      if (!file_.services.empty()) PrintLibraryIncludes();
      printer_.Print("#include \"$base$.pb.h\"\n", "base", file_.base);
      PrintInNamespace(file_, printer_, [this] {
        for (const ServiceModel& service : file_.services) PrintService(service);
      });
    });
  }

 private:
  void PrintLibraryIncludes() {
    printer_.Print(
        "#include <absl/functional/any_invocable.h>\n"
        "#include <absl/status/status.h>\n"
        "#include <absl/status/statusor.h>\n"
        "#include <pagewire/async_client_stream.h>\n"
        "#include <pagewire/async_piece_stream.h>\n"
        "#include <pagewire/async_server_stream.h>\n"
        "#include <pagewire/awaitable.h>\n"
        "#include <pagewire/channel.h>\n"
        "#include <pagewire/client_context.h>\n"
        "#include <pagewire/client_stream.h>\n"
        "#include <pagewire/method.h>\n"
        "#include <pagewire/payload.h>\n"
        "#include <pagewire/piece_stream.h>\n"
        "#include <pagewire/server_context.h>\n"
        "#include <pagewire/server_stream.h>\n"
        "#include <pagewire/service.h>\n"
        "#include <pagewire/task.h>\n"
        "#include <pagewire/with_payload.h>\n"
        "\n"
        "#include <memory>\n"
        "\n");
  }

  void PrintService(const ServiceModel& service) {
    printer_.Print("\n");
    PrintOuterClass(service);
    printer_.Print("\n");
    PrintStub(service);
    printer_.Print("\n");
    PrintCallbackForm(service);
    printer_.Print("\n");
    PrintIntoForm(service);
    printer_.Print("\n");
    PrintServices(service);
    printer_.Print("\n#ifdef __cpp_impl_coroutine\n");
    PrintCoForm(service);
    printer_.Print("\n");
    PrintCoService(service);
    printer_.Print("#endif  // __cpp_impl_coroutine\n");
  }

  void PrintOuterClass(const ServiceModel& service) {
    Variables variables = ServiceVariables(file_, service);
    variables["deprecated"] = service.deprecated ? "[[deprecated]] " : "";
    variables["base"] = file_.base;
    PrintComments(service.comments, printer_);
    printer_.Print(variables,
                   "class $service$ {\n"
                   " public:\n"
                   "  class $deprecated$Stub;\n"
                   "  class Service;\n"
                   "  class CallbackService;\n"
                   "  class CoService;\n"
                   "  class ArenaService;\n");
    if (options_.mocks) {
      printer_.Print(variables, "  class MockStub;  // defined in \"$base$.pagewire.mock.h\", which needs gmock\n");
    }
    printer_.Print(variables,
                   "\n"
                   "  $service$() = delete;\n");
    if (!service.methods.empty()) {
      printer_.Print(variables,
                     "\n"
                     " private:\n"
                     "  static const ::pagewire::Method kMethods[$methods$];\n");
    }
    printer_.Print("};\n");
  }

  void PrintStub(const ServiceModel& service) {
    const Variables variables = ServiceVariables(file_, service);
    printer_.Print(variables,
                   "// Calls $service_name$. Thread-safe. Without a channel (null) every call fails with\n"
                   "// FAILED_PRECONDITION.\n"
                   "class $service$::Stub {\n"
                   " public:\n"
                   "  explicit Stub(::std::shared_ptr<::pagewire::Channel> channel);\n"
                   "  Stub(const Stub&) = delete;\n"
                   "  Stub& operator=(const Stub&) = delete;\n"
                   "  virtual ~Stub();\n");
    PrintMethods(service,
                 "$deprecated$virtual $stub_result$ $method$(\n"
                 "    ::pagewire::ClientContext& context$stub_parameters$);\n");
    printer_.Print(
        variables,
        "\n"
        "  // The same methods without waiting: Callback().Method(context, request..., done).\n"
        "  class CallbackForm;\n"
        "  CallbackForm Callback();\n"
        "\n"
        "  // The same methods for coroutines: co_await Co().Method(context, request...).\n"
        "  class CoForm;\n"
        "  CoForm Co();\n"
        "\n"
        "  // Methods without streams, answering in the caller's message: Into().Method(context, request..., "
        "reply).\n"
        "  class IntoForm;\n"
        "  IntoForm Into();\n"
        "\n"
        " protected:\n"
        "  Stub();\n"
        "\n"
        " private:\n"
        "  ::std::shared_ptr<::pagewire::Channel> channel_;\n"
        "};\n");
  }

  void PrintCallbackForm(const ServiceModel& service) {
    printer_.Print(
        "// `done` runs exactly once, on the executor, never inside the call; null if nobody wants to know. The\n"
        "// context must live until then, the request only until the call returns.\n");
    PrintForm(service, "Callback",
              "$deprecated$void $method$(\n"
              "    ::pagewire::ClientContext& context$stub_parameters$,\n"
              "    ::absl::AnyInvocable<void($stub_result$)> done);\n");
  }

  void PrintCoForm(const ServiceModel& service) {
    printer_.Print(
        "// A call starts when it is awaited. The context must live until it has ended, the request only until the\n"
        "// function returns.\n");
    PrintForm(service, "Co",
              "$deprecated$::pagewire::Awaitable<$stub_result$> $method$(\n"
              "    ::pagewire::ClientContext& context$stub_parameters$);\n");
  }

  void PrintIntoForm(const ServiceModel& service) {
    printer_.Print(
        "// The reply, which may live on an arena, is replaced; one that is used again keeps its memory. It is\n"
        "// unspecified after an error. With `done`: as in the callback form; what is filled must live until then.\n");
    PrintForm(service, "Into",
              "$deprecated$::absl::Status $method$(\n"
              "    ::pagewire::ClientContext& context$into_parameters$);\n"
              "$deprecated$void $method$(\n"
              "    ::pagewire::ClientContext& context$into_parameters$,\n"
              "    ::absl::AnyInvocable<void(::absl::Status)> done);\n",
              "");
  }

  void PrintForm(const ServiceModel& service, const char* form, const char* unary,
                 const char* streaming =
                     "$deprecated$::pagewire::Async$client_stream$ $method$(\n"
                     "    ::pagewire::ClientContext& context$stub_parameters$);\n") {
    Variables variables = ServiceVariables(file_, service);
    variables["form"] = form;
    bool used = false;
    printer_.Print(variables,
                   "class $service$::Stub::$form$Form {\n"
                   " public:\n");
    printer_.Indent();
    ForEachMethod(file_, service, [&](const MethodModel& model, const Variables& method) {
      const std::string declaration = model.type == MethodType::kUnary ? unary : streaming;
      used = used || !declaration.empty();
      printer_.Print(method, declaration.c_str());
    });
    variables["unused"] = used ? "" : "[[maybe_unused]] ";
    printer_.Outdent();
    printer_.Print(variables,
                   "\n"
                   " private:\n"
                   "  friend class Stub;\n"
                   "  explicit $form$Form(::std::shared_ptr<::pagewire::Channel> channel);\n"
                   "  $unused$::std::shared_ptr<::pagewire::Channel> channel_;\n"
                   "};\n");
  }

  void PrintServices(const ServiceModel& service) {
    printer_.Print(
        ServiceVariables(file_, service),
        "// Serves $service_name$: derive and override. A method that is not overridden answers UNIMPLEMENTED.\n"
        "// Methods run concurrently, on the server's executor.\n");
    PrintServiceClass(service, "Service",
                      "virtual $service_result$ $method$(\n"
                      "    ::pagewire::ServerContext& context$service_parameters$);\n");
    printer_.Print(
        "\n"
        "// The same without blocking: a method ends when `done` is called, on any thread; context and request live "
        "until\n"
        "// then. Destroying `done` without calling it answers INTERNAL.\n");
    PrintServiceClass(service, "CallbackService",
                      "virtual void $method$(\n"
                      "    ::pagewire::ServerContext& context$async_parameters$,\n"
                      "    ::absl::AnyInvocable<void($service_result$)> done);\n");
    printer_.Print(
        "\n"
        "// The same as Service, but that methods without streams answer in a message they are given. It is empty; it "
        "and\n"
        "// the request live on an arena that is used again, until the method returns: a steady stream of calls need "
        "not\n"
        "// allocate for messages.\n");
    PrintServiceClass(service, "ArenaService",
                      "virtual ::absl::Status $method$(\n"
                      "    ::pagewire::ServerContext& context$into_parameters$);\n",
                      "virtual $service_result$ $method$(\n"
                      "    ::pagewire::ServerContext& context$service_parameters$);\n");
  }

  void PrintCoService(const ServiceModel& service) {
    printer_.Print("// The same as coroutines. Context and request live until the task has ended.\n");
    PrintServiceClass(service, "CoService",
                      "virtual ::pagewire::Task<$service_result$> $method$(\n"
                      "    ::pagewire::ServerContext& context$async_parameters$);\n");
  }

  // `streaming`: the declaration of methods with streams, if that is another.
  void PrintServiceClass(const ServiceModel& service, const char* class_name, const char* declaration,
                         const char* streaming = nullptr) {
    Variables variables = ServiceVariables(file_, service);
    variables["class"] = class_name;
    printer_.Print(variables,
                   "class $service$::$class$ : public ::pagewire::Service {\n"
                   " public:\n"
                   "  $class$();\n"
                   "  ~$class$() override;\n");
    PrintMethods(service, declaration, streaming);
    printer_.Print("};\n");
  }

  // `declaration` once for each method, with its comments.
  void PrintMethods(const ServiceModel& service, const char* declaration, const char* streaming = nullptr) {
    printer_.Indent();
    int index = 0;
    for (const MethodModel& method : service.methods) {
      printer_.Print("\n");
      PrintComments(method.comments, printer_);
      const bool special = streaming != nullptr && method.type != MethodType::kUnary;
      printer_.Print(MethodVariables(file_, service, method, index), special ? streaming : declaration);
      ++index;
    }
    printer_.Outdent();
  }

  const FileModel& file_;
  const Options& options_;
  Printer& printer_;
};

}  // namespace

std::string EmitHeader(const FileModel& file, const Options& options) {
  return PrintToString([&](Printer& printer) { HeaderEmitter(file, options, printer).Emit(); });
}

}  // namespace pagewire::codegen
