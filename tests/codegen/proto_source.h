// Compiles .proto texts in memory and runs the generator on them.
#pragma once

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>

#include <map>
#include <string>
#include <vector>

namespace pagewire::codegen {

// Files by import path. What is not among them is looked for on disk: the goldens, pagewire/options.proto, and
// protobuf's own files.
using ProtoFiles = std::map<std::string, std::string>;

class ProtoSource {
 public:
  explicit ProtoSource(ProtoFiles files = {});
  ~ProtoSource();

  // Ends the program when the file does not compile: no test is about that.
  const google::protobuf::FileDescriptor& Import(const std::string& path);

 private:
  class Tree;
  class Errors;
  std::unique_ptr<Tree> tree_;
  std::unique_ptr<Errors> errors_;
  google::protobuf::compiler::Importer importer_;
};

struct Generated {
  bool ok = false;
  std::string error;
  std::map<std::string, std::string> files;
};

// As protoc would call the plugin with `paths` and `parameter`.
Generated Generate(ProtoSource& source, const std::vector<std::string>& paths, const std::string& parameter = "");

// The same for one file "test.proto" with this text.
Generated Generate(const std::string& text, const std::string& parameter = "");

}  // namespace pagewire::codegen
