#include "codegen/names.h"

#include <gmock/gmock.h>
#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "codegen/proto_source.h"

namespace pagewire::codegen {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NamesTest, KeywordsAreThoseOfProtoc) {
  // protoc 3.21 does not know these; a newer one may.
  const std::set<std::string> newer = {"char16_t", "char8_t",   "co_await",  "co_return", "co_yield",
                                       "concept",  "consteval", "constinit", "requires"};
  for (const char* word : {"alignas",  "and",           "asm",          "auto",     "bool",     "char16_t", "class",
                           "compl",    "consteval",     "delete",       "export",   "final",    "import",   "int",
                           "module",   "namespace",     "new",          "not_eq",   "operator", "override", "register",
                           "requires", "static_assert", "thread_local", "this",     "typeid",   "wchar_t",  "xor_eq",
                           "Delete",   "main",          "std",          "co_await", "stub"}) {
    if (newer.count(word) != 0) {
      EXPECT_TRUE(IsKeyword(word)) << word;
      continue;
    }
    ProtoSource source(ProtoFiles{{"a.proto", std::string("syntax = \"proto3\"; message ") + word + " {}"}});
    const auto& message = *source.Import("a.proto").message_type(0);
    const bool escaped = google::protobuf::compiler::cpp::ClassName(&message) != word;
    EXPECT_EQ(IsKeyword(word), escaped) << word;
  }
}

TEST(NamesTest, TypesAreFullyQualified) {
  ProtoSource source(ProtoFiles{{"a.proto", R"(syntax = "proto3"; package a.b;
                                     import "google/protobuf/empty.proto";
                                     message Outer { message Inner { message class {} } }
                                     message delete {}
                                     message Empty { google.protobuf.Empty empty = 1; })"},
                                {"b.proto", R"(syntax = "proto3"; message Rootless { message Inner {} })"}});
  const auto& file = source.Import("a.proto");
  const auto& inner = *file.message_type(0)->nested_type(0);
  EXPECT_EQ(CppType(inner), "::a::b::Outer_Inner");
  EXPECT_EQ(CppType(*inner.nested_type(0)), "::a::b::Outer_Inner_class");
  EXPECT_EQ(CppType(*file.message_type(1)), "::a::b::delete_");
  EXPECT_EQ(CppType(*file.message_type(2)->field(0)->message_type()), "::google::protobuf::Empty");
  EXPECT_EQ(CppType(*source.Import("b.proto").message_type(0)->nested_type(0)), "::Rootless_Inner");
}

TEST(NamesTest, PackagesAreNamespaces) {
  ProtoSource source(
      {{"a.proto", "syntax = \"proto3\"; package a.std.pagewire;"}, {"b.proto", "syntax = \"proto3\";"}});
  EXPECT_THAT(CppNamespaces(source.Import("a.proto")), ElementsAre("a", "std", "pagewire"));
  EXPECT_THAT(CppNamespaces(source.Import("b.proto")), IsEmpty());
}

TEST(NamesTest, ServicesAndMethodsMakeRoomForGeneratedMembers) {
  ProtoSource source(ProtoFiles{{"a.proto", R"(syntax = "proto3"; package a;
                                     message M {}
                                     service Stub { rpc Stub(M) returns (M); rpc co_await(M) returns (M); }
                                     service absl { rpc channel_(M) returns (M); rpc absl(M) returns (M);
                                                    rpc errno(M) returns (M); })"},
                                {"b.proto", R"(syntax = "proto3"; service absl {})"}});
  const auto& file = source.Import("a.proto");
  EXPECT_EQ(CppServiceName(*file.service(0)), "Stub_");
  EXPECT_EQ(CppMethodName(*file.service(0)->method(0)), "Stub_");
  EXPECT_EQ(CppMethodName(*file.service(0)->method(1)), "co_await_");
  EXPECT_EQ(CppServiceName(*file.service(1)), "absl");
  EXPECT_EQ(CppMethodName(*file.service(1)->method(0)), "channel__");
  EXPECT_EQ(CppMethodName(*file.service(1)->method(1)), "absl");
  EXPECT_EQ(CppMethodName(*file.service(1)->method(2)), "errno_");
  EXPECT_EQ(CppServiceName(*source.Import("b.proto").service(0)), "absl_");
}

TEST(NamesTest, MangledTextsAreDistinct) {
  EXPECT_EQ(Mangle("sub/a-b.v2.proto"), "sub_2fa_2db_2ev2_2eproto");
  EXPECT_NE(Mangle("a/b"), Mangle("a_2fb"));
}

}  // namespace
}  // namespace pagewire::codegen
