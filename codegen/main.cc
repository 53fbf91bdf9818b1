// protoc-gen-pagewire: protoc runs it for --pagewire_out.
#include <google/protobuf/compiler/plugin.h>

#include "codegen/generator.h"

int main(int argc, char* argv[]) {
  const pagewire::codegen::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
