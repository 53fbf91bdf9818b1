// What is said about definitions that cannot be generated: the exact text, with the place.
#include <gmock/gmock.h>
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <string>

#include "codegen/diagnostic.h"
#include "codegen/model_builder.h"
#include "codegen/proto_source.h"

namespace pagewire::codegen {
namespace {

using testing::IsEmpty;

std::string ErrorOf(const std::string& text, const std::string& parameter = "") {
  const Generated generated = Generate(text, parameter);
  EXPECT_FALSE(generated.ok);
  EXPECT_THAT(generated.files, IsEmpty());
  return generated.error;
}

TEST(ErrorsTest, PluginOptions) {
  EXPECT_EQ(ErrorOf("syntax = \"proto3\";", "colour=blue"),
            "unknown option \"colour\"; the options are: mocks=true|false");
}

TEST(ErrorsTest, TwoMethodsOfOneName) {
  EXPECT_EQ(
      ErrorOf("syntax = \"proto3\";\n"
              "package p;\n"
              "message M {}\n"
              "service S {\n"
              "  rpc delete(M) returns (M);\n"
              "  rpc delete_(M) returns (M);\n"
              "}\n"),
      "test.proto:6:3: methods \"delete\" and \"delete_\" of service \"p.S\" are both \"delete_\" in C++; rename one");
}

TEST(ErrorsTest, AMethodOfTheNameOfAnEscapedOne) {
  EXPECT_EQ(ErrorOf("syntax = \"proto3\"; message M {}\n"
                    "service S { rpc Stub_(M) returns (M); rpc Stub(M) returns (M); }"),
            "test.proto:2:39: methods \"Stub_\" and \"Stub\" of service \"S\" are both \"Stub_\" in C++; rename one");
}

TEST(ErrorsTest, AServiceOfTheNameOfANestedMessage) {
  EXPECT_EQ(ErrorOf("syntax = \"proto3\"; package p;\n"
                    "message A { message B {} }\n"
                    "service A_B {}"),
            "test.proto:3:1: service \"p.A_B\" is \"A_B\" in C++, and so is message \"p.A.B\"; rename one");
}

TEST(ErrorsTest, AServiceOfTheNameOfANestedEnumOrItsValue) {
  EXPECT_EQ(ErrorOf("syntax = \"proto3\"; message A { enum E { V = 0; } }\n"
                    "service A_E {}"),
            "test.proto:2:1: service \"A_E\" is \"A_E\" in C++, and so is enum \"A.E\"; rename one");
  EXPECT_EQ(ErrorOf("syntax = \"proto3\"; message A { enum E { V = 0; } }\n"
                    "service A_E_V {}"),
            "test.proto:2:1: service \"A_E_V\" is \"A_E_V\" in C++, and so is enum value \"A.V\"; rename one");
}

TEST(ErrorsTest, TwoServicesOfOneName) {
  EXPECT_EQ(ErrorOf("syntax = \"proto3\";\nservice class_ {}\nservice class {}"),
            "test.proto:3:1: service \"class\" is \"class_\" in C++, and so is service \"class_\"; rename one");
}

TEST(ErrorsTest, ProtocsOwnServices) {
  EXPECT_EQ(ErrorOf("syntax = \"proto3\";\noption cc_generic_services = true;\nservice S {}"),
            "test.proto:3:1: option cc_generic_services makes protoc declare a class for service \"S\" too; remove the "
            "option");
}

TEST(ErrorsTest, AKeywordInThePackage) {
  EXPECT_EQ(
      ErrorOf("syntax = \"proto3\";\npackage a.new.b;"),
      "test.proto:2:1: package \"a.new.b\": \"new\" is a word of C++, and protoc's own C++ output does not compile; "
      "rename the package");
}

TEST(ErrorsTest, AllOfThemAtOnce) {
  EXPECT_EQ(ErrorOf("syntax = \"proto3\"; message M {}\n"
                    "service class {}\n"
                    "service class_ {}\n"
                    "service S { rpc new(M) returns (M); rpc new_(M) returns (M); }"),
            "test.proto:3:1: service \"class_\" is \"class_\" in C++, and so is service \"class\"; rename one\n"
            "test.proto:4:37: methods \"new\" and \"new_\" of service \"S\" are both \"new_\" in C++; rename one");
}

std::string PiecewiseMethod(const std::string& signature, const std::string& options) {
  return "syntax = \"proto3\"; import \"pagewire/options.proto\"; message M {}\n"
         "service S {\n"
         "  rpc Do" +
         signature + " { option (pagewire.piecewise) = true; " + options + " }\n}";
}

TEST(ErrorsTest, PiecewiseWithoutAPayload) {
  EXPECT_EQ(ErrorOf(PiecewiseMethod("(M) returns (M)", "")),
            "test.proto:3:3: option (pagewire.piecewise) says how payloads travel, and the method has none; add option "
            "(pagewire.payload) = REQUEST, RESPONSE or BOTH");
}

TEST(ErrorsTest, PiecewiseWithAStream) {
  const std::string error =
      "test.proto:3:3: option (pagewire.piecewise) is for methods without streams; each message of a stream has a "
      "payload of its own. Remove the option, or \"stream\"";
  EXPECT_EQ(ErrorOf(PiecewiseMethod("(stream M) returns (M)", "option (pagewire.payload) = REQUEST;")), error);
  EXPECT_EQ(ErrorOf(PiecewiseMethod("(M) returns (stream M)", "option (pagewire.payload) = BOTH;")), error);
}

// As if pagewire/options.proto were of a later version. Descriptors made by hand have no places in a text.
TEST(ErrorsTest, AnUnknownDirection) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("hand.proto");
  file.add_message_type()->set_name("M");
  auto* service = file.add_service();
  service->set_name("S");
  auto* method = service->add_method();
  method->set_name("Do");
  method->set_input_type("M");
  method->set_output_type("M");
  constexpr int kPayload = 51917;
  method->mutable_options()->mutable_unknown_fields()->AddVarint(kPayload, 4);
  file.ParseFromString(file.SerializeAsString());  // the extension is known to this program
  google::protobuf::DescriptorPool pool;
  Diagnostics diagnostics;
  BuildModel(*pool.BuildFile(file), diagnostics);
  ASSERT_EQ(diagnostics.size(), 1u);
  EXPECT_EQ(
      ToString(diagnostics[0]),
      "hand.proto: option (pagewire.payload) has a value that this protoc-gen-pagewire does not know; it knows NONE, "
      "REQUEST, RESPONSE and BOTH. Use the plugin and the pagewire/options.proto of one version");
}

}  // namespace
}  // namespace pagewire::codegen
