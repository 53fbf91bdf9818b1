// grpc.reflection.v1 as a client sees it.
#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>
#include <pagewire/health.h>
#include <pagewire/pagewire.h>
#include <pagewire/reflection.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpc/reflection/v1/reflection.pagewire.h"
#include "pagewire/options.pb.h"
#include "semantics/semantics_service.h"

namespace pagewire::semantics {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptorProto;
using grpc::reflection::v1::ServerReflection;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReflectionTest : public SemanticsTest {
 protected:
  void SetUp() override {
    builder_.RegisterService(reflection_.service());
    builder_.RegisterService(health_.service());
    SemanticsTest::SetUp();
    stub_ = std::make_unique<ServerReflection::Stub>(MakeChannel());
    NewStream();
  }

  void NewStream() {
    if (stream_ != nullptr) {
      EXPECT_EQ(stream_->WritesDone(), absl::OkStatus());
      EXPECT_EQ(stream_->Finish(), absl::OkStatus());
    }
    context_.emplace();
    stream_ = stub_->ServerReflectionInfo(*context_);
  }

  ServerReflectionResponse Ask(const ServerReflectionRequest& request) {
    EXPECT_EQ(stream_->Write(request), absl::OkStatus());
    absl::StatusOr<std::optional<ServerReflectionResponse>> response = stream_->Read();
    EXPECT_TRUE(response.ok() && response->has_value()) << response.status();
    if (!response.ok() || !response->has_value()) return {};
    EXPECT_EQ((*response)->original_request().SerializeAsString(), request.SerializeAsString());
    return **response;
  }
  ServerReflectionResponse AskForSymbol(const std::string& symbol) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(symbol);
    return Ask(request);
  }

  static std::vector<std::string> FileNames(const ServerReflectionResponse& response) {
    std::vector<std::string> names;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.push_back(file.name());
    }
    return names;
  }

  HealthCheckService health_;
  ReflectionService reflection_;
  std::unique_ptr<ServerReflection::Stub> stub_;
  std::optional<ClientContext> context_;
  std::unique_ptr<ClientReaderWriter<ServerReflectionRequest, ServerReflectionResponse>> stream_;
};

TEST_F(ReflectionTest, ListsTheServicesOfTheServer) {
  ServerReflectionRequest request;
  request.set_host("a host");
  request.set_list_services("*");
  const ServerReflectionResponse response = Ask(request);
  EXPECT_EQ(response.valid_host(), "a host");
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  EXPECT_THAT(names, ElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                 "pagewire.semantics.Semantics"));
}

TEST_F(ReflectionTest, ListsNoGenericService) {
  class Nothing final : public GenericService {
    absl::Status Handle(ServerContext&, ServerReaderWriter<GenericMessage, GenericMessage>&) override {
      return absl::OkStatus();
    }
  } generic;
  ServerBuilder builder;
  builder.RegisterGenericService(&generic).RegisterService(reflection_.service());
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  stream_.reset();
  stub_ = std::make_unique<ServerReflection::Stub>(CreateInProcessChannel(**server));
  NewStream();
  ServerReflectionRequest request;
  request.set_list_services("");
  EXPECT_EQ(Ask(request).list_services_response().service_size(), 1);
  stream_.reset();
}

TEST_F(ReflectionTest, GivesAFileWithItsImportsOnce) {
  EXPECT_THAT(FileNames(AskForSymbol("pagewire.semantics.Semantics")),
              ElementsAre("semantics.proto", "pagewire/options.proto", "google/protobuf/descriptor.proto"));
  EXPECT_THAT(FileNames(AskForSymbol("pagewire.semantics.Item")), ElementsAre()) << "given before";
  ServerReflectionRequest request;
  request.set_file_by_filename("grpc/health/v1/health.proto");
  EXPECT_THAT(FileNames(Ask(request)), ElementsAre("grpc/health/v1/health.proto"));
  NewStream();
  EXPECT_THAT(FileNames(AskForSymbol("pagewire.semantics.Semantics.Echo")), Contains("semantics.proto"));
}

TEST_F(ReflectionTest, KnowsExtensions) {
  ServerReflectionRequest request;
  request.set_all_extension_numbers_of_type("google.protobuf.MethodOptions");
  const ServerReflectionResponse numbers = Ask(request);
  EXPECT_THAT(numbers.all_extension_numbers_response().extension_number(),
              Contains(static_cast<int>(pagewire::kPayloadFieldNumber)));
  EXPECT_EQ(numbers.all_extension_numbers_response().base_type_name(), "google.protobuf.MethodOptions");
  request.mutable_file_containing_extension()->set_containing_type("google.protobuf.MethodOptions");
  request.mutable_file_containing_extension()->set_extension_number(pagewire::kPayloadFieldNumber);
  EXPECT_THAT(FileNames(Ask(request)), Contains("pagewire/options.proto"));
}

TEST_F(ReflectionTest, WhatIsNotKnownIsSaidAndTheStreamGoesOn) {
  const auto expect_error = [this](const ServerReflectionRequest& request, absl::StatusCode code, const char* text) {
    const ServerReflectionResponse response = Ask(request);
    EXPECT_EQ(response.error_response().error_code(), static_cast<int>(code));
    EXPECT_THAT(response.error_response().error_message(), HasSubstr(text));
  };
  ServerReflectionRequest request;
  expect_error(request, absl::StatusCode::kInvalidArgument, "asks for nothing");
  request.set_file_by_filename("no.proto");
  expect_error(request, absl::StatusCode::kNotFound, "file \"no.proto\"");
  request.set_file_containing_symbol("no.Symbol");
  expect_error(request, absl::StatusCode::kNotFound, "symbol \"no.Symbol\"");
  request.set_all_extension_numbers_of_type("no.Type");
  expect_error(request, absl::StatusCode::kNotFound, "message \"no.Type\"");
  request.mutable_file_containing_extension()->set_containing_type("no.Type");
  expect_error(request, absl::StatusCode::kNotFound, "message \"no.Type\"");
  request.mutable_file_containing_extension()->set_containing_type("google.protobuf.MethodOptions");
  request.mutable_file_containing_extension()->set_extension_number(77);
  expect_error(request, absl::StatusCode::kNotFound, "extension 77 of \"google.protobuf.MethodOptions\"");
}

// What a command-line client does: nothing of the service was compiled in.
TEST_F(ReflectionTest, IsEnoughToCallAMethod) {
  DescriptorPool pool;
  const ServerReflectionResponse response = AskForSymbol("pagewire.semantics.Semantics");
  const auto& files = response.file_descriptor_response().file_descriptor_proto();
  for (int i = files.size(); i-- > 0;) {
    FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(files[i]));
    ASSERT_NE(pool.BuildFile(file), nullptr);
  }
  const auto* method = pool.FindMethodByName("pagewire.semantics.Semantics.Echo");
  ASSERT_NE(method, nullptr);
  google::protobuf::DynamicMessageFactory factory(&pool);
  const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(method->input_type())->New());
  message->GetReflection()->SetString(message.get(), method->input_type()->FindFieldByName("text"), "found");
  GenericStub generic(MakeChannel());
  ClientContext context;
  const absl::StatusOr<GenericMessage> reply =
      generic.Call(context, "/pagewire.semantics.Semantics/Echo", {message->SerializeAsString(), Payload()});
  ASSERT_TRUE(reply.ok()) << reply.status();
  Item item;
  ASSERT_TRUE(item.ParseFromString(reply->bytes));
  EXPECT_EQ(item.text(), "found");
}

}  // namespace
}  // namespace pagewire::semantics
