// What is generated for tests/golden/*.proto, byte for byte. tests/golden/update writes the expected files anew.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codegen/proto_source.h"

namespace pagewire::codegen {
namespace {

namespace fs = std::filesystem;

const fs::path kProtos = PAGEWIRE_GOLDEN_DIR;
const fs::path kExpected = kProtos / "expected";

// Paths below `directory` of the files whose names end in `extension` (any, if empty).
std::vector<std::string> FilesBelow(const fs::path& directory, const std::string& extension) {
  std::set<std::string> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || (!extension.empty() && entry.path().extension() != extension)) continue;
    paths.insert(entry.path().lexically_relative(directory).string());
  }
  return {paths.begin(), paths.end()};
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string Replaced(const std::string& path, const std::string& ending) {
  return path.substr(0, path.size() - std::string(".proto").size()) + ending;
}

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, IsAsExpected) {
  ProtoSource source;
  const Generated generated = Generate(source, {GetParam()});
  ASSERT_TRUE(generated.ok) << generated.error;
  ASSERT_EQ(generated.files.size(), 3u);
  for (const char* ending : {".pagewire.h", ".pagewire.cc", ".pagewire.mock.h"}) {
    const std::string path = Replaced(GetParam(), ending);
    ASSERT_EQ(generated.files.count(path), 1u) << path;
    EXPECT_EQ(generated.files.at(path), ReadFile(kExpected / path))
        << path << " differs; if that is meant, run tests/golden/update BUILD_DIRECTORY";
  }
}

// Test names are identifiers.
std::string NameOf(const testing::TestParamInfo<std::string>& param) {
  std::string name = param.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Protos, GoldenTest, testing::ValuesIn(FilesBelow(kProtos, ".proto")), NameOf);

TEST(GoldensTest, NothingElseIsExpected) {
  std::set<std::string> expected;
  for (const std::string& proto : FilesBelow(kProtos, ".proto")) {
    for (const char* ending : {".pagewire.h", ".pagewire.cc", ".pagewire.mock.h"})
      expected.insert(Replaced(proto, ending));
  }
  for (const std::string& path : FilesBelow(kExpected, "")) {
    EXPECT_EQ(expected.count(path), 1u) << path << " belongs to no .proto; remove it";
  }
}

TEST(DeterminismTest, OrderAndCompanyDoNotMatter) {
  const std::vector<std::string> paths = FilesBelow(kProtos, ".proto");
  std::vector<std::string> reversed(paths.rbegin(), paths.rend());
  ProtoSource all_source;
  const Generated all = Generate(all_source, paths);
  ProtoSource reversed_source;
  EXPECT_EQ(Generate(reversed_source, reversed).files, all.files);
  std::map<std::string, std::string> one_by_one;
  for (const std::string& path : reversed) {
    ProtoSource source;
    one_by_one.merge(Generate(source, {path}).files);
  }
  EXPECT_EQ(one_by_one, all.files);
}

TEST(DeterminismTest, TheOrderOfImportsDoesNotMatter) {
  const std::string service =
      "message M { types.v1.Key k = 1; blob.PutReply r = 2; } service S { rpc Do(M) returns (M); }";
  const std::string blob_first = "syntax = \"proto3\"; import \"blob.proto\"; import \"sub/types.proto\"; " + service;
  const std::string types_first = "syntax = \"proto3\"; import \"sub/types.proto\"; import \"blob.proto\"; " + service;
  EXPECT_EQ(Generate(blob_first).files, Generate(types_first).files);
}

TEST(MocksOptionTest, WithoutMocksNothingMentionsThem) {
  ProtoSource source;
  const Generated generated = Generate(source, {"blob.proto"}, "mocks=false");
  ASSERT_TRUE(generated.ok) << generated.error;
  EXPECT_EQ(generated.files.size(), 2u);
  EXPECT_EQ(generated.files.count("blob.pagewire.mock.h"), 0u);
  EXPECT_EQ(generated.files.at("blob.pagewire.h").find("Mock"), std::string::npos);
}

}  // namespace
}  // namespace pagewire::codegen
