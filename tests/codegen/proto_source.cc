#include "codegen/proto_source.h"

#include <google/protobuf/compiler/code_generator.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <utility>

#include "codegen/generator.h"

namespace pagewire::codegen {

using google::protobuf::FileDescriptor;
using google::protobuf::io::StringOutputStream;
using google::protobuf::io::ZeroCopyInputStream;
using google::protobuf::io::ZeroCopyOutputStream;

class ProtoSource::Tree final : public google::protobuf::compiler::SourceTree {
 public:
  explicit Tree(ProtoFiles files) : files_(std::move(files)) {
    for (const char* directory : {PAGEWIRE_GOLDEN_DIR, PAGEWIRE_PROTO_DIR, PROTOBUF_INCLUDE_DIR}) {
      disk_.MapPath("", directory);
    }
  }

  ZeroCopyInputStream* Open(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return disk_.Open(path);
    return new google::protobuf::io::ArrayInputStream(found->second.data(), static_cast<int>(found->second.size()));
  }

 private:
  const ProtoFiles files_;
  google::protobuf::compiler::DiskSourceTree disk_;
};

class ProtoSource::Errors final : public google::protobuf::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int column, const std::string& text) override {
    std::cerr << file << ":" << line + 1 << ":" << column + 1 << ": " << text << std::endl;
  }
};

ProtoSource::ProtoSource(ProtoFiles files)
    : tree_(std::make_unique<Tree>(std::move(files))),
      errors_(std::make_unique<Errors>()),
      importer_(tree_.get(), errors_.get()) {}

ProtoSource::~ProtoSource() = default;

const FileDescriptor& ProtoSource::Import(const std::string& path) {
  const FileDescriptor* file = importer_.Import(path);
  if (file == nullptr) std::abort();
  return *file;
}

namespace {

class MemoryContext final : public google::protobuf::compiler::GeneratorContext {
 public:
  explicit MemoryContext(std::map<std::string, std::string>& files) : files_(files) {}

  ZeroCopyOutputStream* Open(const std::string& path) override { return new StringOutputStream(&files_[path]); }

 private:
  std::map<std::string, std::string>& files_;
};

}  // namespace

Generated Generate(ProtoSource& source, const std::vector<std::string>& paths, const std::string& parameter) {
  std::vector<const FileDescriptor*> files;
  for (const std::string& path : paths) files.push_back(&source.Import(path));
  Generated generated;
  MemoryContext context(generated.files);
  generated.ok = Generator().GenerateAll(files, parameter, &context, &generated.error);
  return generated;
}

Generated Generate(const std::string& text, const std::string& parameter) {
  ProtoSource source(ProtoFiles{{"test.proto", text}});
  return Generate(source, {"test.proto"}, parameter);
}

}  // namespace pagewire::codegen
