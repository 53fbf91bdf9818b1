#include "codegen/mock_emitter.h"

#include <absl/strings/str_join.h>
#include <google/protobuf/io/printer.h>

#include <algorithm>
#include <string>

#include "codegen/output.h"
#include "codegen/signature.h"

namespace pagewire::codegen {
namespace {

using google::protobuf::io::Printer;

void PrintMockStub(const FileModel& file, const ServiceModel& service, Printer& printer) {
  printer.Print(ServiceVariables(file, service),
                "\n"
                "// Answers as its expectations say. Its callback form has no channel: FAILED_PRECONDITION.\n"
                "class $service$::MockStub : public $scope$::Stub {\n"
                " public:\n");
  ForEachMethod(file, service, [&](const MethodModel&, const Variables& method) {
    printer.Print(method,
                  "  MOCK_METHOD(($stub_result$), $method$,\n"
                  "              (::pagewire::ClientContext&$stub_types$), (override));\n");
  });
  printer.Print("};\n");
}

// gmock 1.12's MOCK_METHOD says std::is_function, and within a package that has a component "std" it means that one.
void PrintStd(const FileModel& file, Printer& printer) {
  const auto last = std::find(file.cpp_namespaces.rbegin(), file.cpp_namespaces.rend(), "std");
  if (last == file.cpp_namespaces.rend()) return;
  const std::string name = absl::StrJoin(file.cpp_namespaces.begin(), last.base(), "::");
  printer.Print(
      "\n// For MOCK_METHOD, which takes this namespace for ::std.\n"
      "namespace $name$ {\nusing ::std::is_function;\n}\n",
      "name", name);
}

}  // namespace

std::string EmitMock(const FileModel& file) {
  return PrintToString([&](Printer& printer) {
    PrintOrigin(file, printer);
    PrintGuarded(file, "_MOCK_H", printer, [&] {
      if (!file.services.empty()) printer.Print("#include <gmock/gmock.h>\n\n");
      printer.Print("#include \"$base$.pagewire.h\"\n", "base", file.base);
      if (!file.services.empty()) PrintStd(file, printer);
      PrintInNamespace(file, printer, [&] {
        for (const ServiceModel& service : file.services) PrintMockStub(file, service, printer);
      });
    });
  });
}

}  // namespace pagewire::codegen
