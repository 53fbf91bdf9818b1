#include "codegen/model_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "codegen/diagnostic.h"
#include "codegen/proto_source.h"

namespace pagewire::codegen {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

FileModel Build(const std::string& text) {
  ProtoSource source(ProtoFiles{{"dir/test.v1.proto", text}});
  Diagnostics diagnostics;
  FileModel model = BuildModel(source.Import("dir/test.v1.proto"), diagnostics);
  EXPECT_THAT(diagnostics, IsEmpty());
  return model;
}

TEST(ModelBuilderTest, AFileWithNothingInIt) {
  const FileModel file = Build("syntax = \"proto3\";");
  EXPECT_EQ(file.proto, "dir/test.v1.proto");
  EXPECT_EQ(file.base, "dir/test.v1");
  EXPECT_THAT(file.cpp_namespaces, IsEmpty());
  EXPECT_THAT(file.services, IsEmpty());
}

TEST(ModelBuilderTest, NamesOnTheWireAreTheOriginals) {
  const FileModel file = Build(R"(
    syntax = "proto3"; package new_.v1; message M { message N {} }
    service Class { rpc delete(M) returns (M.N); })");
  ASSERT_EQ(file.services.size(), 1u);
  EXPECT_EQ(file.services[0].full_name, "new_.v1.Class");
  EXPECT_EQ(file.services[0].cpp_name, "Class");
  const MethodModel& method = file.services[0].methods.at(0);
  EXPECT_EQ(method.name, "delete");
  EXPECT_EQ(method.cpp_name, "delete_");
  EXPECT_EQ(method.wire_name, "/new_.v1.Class/delete");
  EXPECT_EQ(method.request_type, "::new_::v1::M");
  EXPECT_EQ(method.response_type, "::new_::v1::M_N");
}

TEST(ModelBuilderTest, WithoutPackage) {
  const FileModel file = Build("syntax = \"proto3\"; message M {} service S { rpc Do(M) returns (M); }");
  EXPECT_EQ(file.services.at(0).methods.at(0).wire_name, "/S/Do");
}

TEST(ModelBuilderTest, PayloadDirections) {
  const FileModel file = Build(R"(
    syntax = "proto3"; import "pagewire/options.proto"; message M {}
    service S {
      rpc A(M) returns (M);
      rpc B(M) returns (M) { option (pagewire.payload) = NONE; }
      rpc C(M) returns (M) { option (pagewire.payload) = REQUEST; }
      rpc D(M) returns (M) { option (pagewire.payload) = RESPONSE; }
      rpc E(M) returns (M) { option (pagewire.payload) = BOTH; }
    })");
  std::vector<PayloadDirection> directions;
  for (const MethodModel& method : file.services.at(0).methods) directions.push_back(method.payload);
  EXPECT_THAT(directions, ElementsAre(PayloadDirection::kNone, PayloadDirection::kNone, PayloadDirection::kRequest,
                                      PayloadDirection::kResponse, PayloadDirection::kBoth));
}

TEST(ModelBuilderTest, CommentsAndDeprecation) {
  const FileModel file = Build(
      "// licence\n"
      "syntax = \"proto3\"; message M {}\n\n"
      "// detached\n\n"
      "// leading\n"
      "service S {  // trailing\n"
      "  option deprecated = true;\n"
      "  /* block */ rpc A(M) returns (M) { option deprecated = true; }\n"
      "  rpc B(M) returns (M);\n"
      "}\n");
  EXPECT_EQ(file.comments.leading, " licence\n");
  const ServiceModel& service = file.services.at(0);
  EXPECT_TRUE(service.deprecated);
  EXPECT_THAT(service.comments.detached, ElementsAre(" detached\n"));
  EXPECT_EQ(service.comments.leading, " leading\n");
  EXPECT_EQ(service.comments.trailing, " trailing\n");
  EXPECT_TRUE(service.methods.at(0).deprecated);
  EXPECT_EQ(service.methods.at(0).comments.leading, " block ");
  EXPECT_FALSE(service.methods.at(1).deprecated);
}

TEST(ModelBuilderTest, MethodsKnowWhichSidesStream) {
  ProtoSource source(ProtoFiles{{"a.proto",
                                 "syntax = \"proto3\"; message M {} service S {\n"
                                 "  rpc A(stream M) returns (M);\n"
                                 "  rpc B(M) returns (stream M);\n"
                                 "  rpc C(M) returns (M);\n"
                                 "  rpc D(stream M) returns (stream M);\n"
                                 "}"}});
  Diagnostics diagnostics;
  const FileModel file = BuildModel(source.Import("a.proto"), diagnostics);
  EXPECT_THAT(diagnostics, IsEmpty());
  const std::vector<MethodModel>& methods = file.services.at(0).methods;
  EXPECT_EQ(methods.at(0).type, MethodType::kClientStreaming);
  EXPECT_EQ(methods.at(1).type, MethodType::kServerStreaming);
  EXPECT_EQ(methods.at(2).type, MethodType::kUnary);
  EXPECT_EQ(methods.at(3).type, MethodType::kBidiStreaming);
}

}  // namespace
}  // namespace pagewire::codegen
