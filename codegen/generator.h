// The plugin as protobuf's CodeGenerator: options, then the model, then the files.
#pragma once

#include <google/protobuf/compiler/code_generator.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pagewire::codegen {

// For foo.proto it writes foo.pagewire.h, foo.pagewire.cc and foo.pagewire.mock.h, also where there is no service. The
// output depends on nothing but the .proto, its imports and the options.
class Generator final : public google::protobuf::compiler::CodeGenerator {
 public:
  // On errors nothing is written and `error` has a line for each, with its place in the .proto.
  bool GenerateAll(const std::vector<const google::protobuf::FileDescriptor*>& files, const std::string& parameter,
                   google::protobuf::compiler::GeneratorContext* context, std::string* error) const override;
  bool Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context, std::string* error) const override;

  // proto3's optional fields are protoc's business alone.
  uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
};

}  // namespace pagewire::codegen
