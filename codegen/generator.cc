#include "codegen/generator.h"

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <memory>
#include <string>
#include <vector>

#include "codegen/diagnostic.h"
#include "codegen/header_emitter.h"
#include "codegen/mock_emitter.h"
#include "codegen/model.h"
#include "codegen/model_builder.h"
#include "codegen/options.h"
#include "codegen/source_emitter.h"

namespace pagewire::codegen {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::compiler::GeneratorContext;

void Write(GeneratorContext& context, const std::string& name, const std::string& text) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> stream(context.Open(name));
  google::protobuf::io::CodedOutputStream(stream.get()).WriteString(text);
}

}  // namespace

bool Generator::GenerateAll(const std::vector<const FileDescriptor*>& files, const std::string& parameter,
                            GeneratorContext* context, std::string* error) const {
  const absl::StatusOr<Options> options = ParseOptions(parameter);
  if (!options.ok()) {
    *error = std::string(options.status().message());
    return false;
  }
  Diagnostics diagnostics;
  std::vector<FileModel> models;
  for (const FileDescriptor* file : files) models.push_back(BuildModel(*file, diagnostics));

  for (const Diagnostic& wrong : diagnostics) {
    absl::StrAppend(error, error->empty() ? "" : "\n", ToString(wrong));
  }
  if (!diagnostics.empty()) return false;

  for (const FileModel& model : models) {
    Write(*context, model.base + ".pagewire.h", EmitHeader(model, *options));
    Write(*context, model.base + ".pagewire.cc", EmitSource(model));
    if (options->mocks) Write(*context, model.base + ".pagewire.mock.h", EmitMock(model));
  }
  return true;
}

bool Generator::Generate(const FileDescriptor* file, const std::string& parameter, GeneratorContext* context,
                         std::string* error) const {
  return GenerateAll({file}, parameter, context, error);
}

}  // namespace pagewire::codegen
