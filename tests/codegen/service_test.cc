// Generated services, their handlers run as the server runs them.
#include <pagewire/executor.h>
#include <pagewire/internal/service_access.h>
#include <pagewire/payload_buffer.h>

#include <absl/status/status.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "blob.pagewire.h"
#include "call/server_call_state.h"
#include "empty_services.pagewire.h"
#include "proto2.pagewire.h"
#include "server/service_registry.h"

namespace pagewire {
namespace {

using internal::RawMessage;
using internal::ServiceAccess;
using testing::ElementsAre;
using testing::IsEmpty;

class Blobs final : public blob::BlobStore::Service {
 public:
  absl::StatusOr<blob::PutReply> Put(ServerContext& context, const blob::PutRequest& request,
                                     Payload payload) override {
    EXPECT_EQ(context.method(), "/blob.BlobStore/Put");
    if (request.name() == "error") return absl::NotFoundError("no such thing");
    if (request.name() == "throw") throw std::runtime_error("out of ideas");
    if (request.name() == "throw 7") throw 7;
    blob::PutReply reply;
    reply.set_size(payload.size());
    return reply;
  }

  absl::StatusOr<WithPayload<blob::GetReply>> Swap(ServerContext&, const blob::GetRequest& request,
                                                   Payload payload) override {
    WithPayload<blob::GetReply> reply;
    reply.message.set_size(request.offset());
    reply.payload = std::move(payload);
    return reply;
  }
};

class Careless final : public two::Two::Service {
 public:
  absl::StatusOr<two::Strict> Check(ServerContext&, const two::Strict&) override { return two::Strict(); }
};

class ServiceTest : public testing::Test {
 protected:
  absl::StatusOr<RawMessage> Run(const Service& service, const std::string& method, std::string request,
                                 Payload payload = Payload()) {
    server::ServiceRegistry registry(MakeThreadPool());
    EXPECT_TRUE(registry.Add(&service).ok());
    absl::Status unknown;
    const Method* found = registry.Find(method, unknown);
    if (found == nullptr) return unknown;
    auto state = std::make_shared<internal::ServerCallState>();
    state->method = found->name;
    std::promise<absl::StatusOr<RawMessage>> promise;
    registry.Run(*found, std::move(state), {std::move(request), std::move(payload)}, nullptr,
                 [&](absl::StatusOr<RawMessage> reply) { promise.set_value(std::move(reply)); });
    absl::StatusOr<RawMessage> reply = promise.get_future().get();
    registry.WaitForHandlers();
    return reply;
  }

  std::string PutNamed(const std::string& name) {
    blob::PutRequest request;
    request.set_name(name);
    return request.SerializeAsString();
  }

  Blobs blobs_;
};

TEST_F(ServiceTest, KnowsItsNameAndMethods) {
  EXPECT_EQ(ServiceAccess::full_name(blobs_), "blob.BlobStore");
  std::vector<std::string> names;
  for (const auto& registered : ServiceAccess::methods(blobs_)) names.emplace_back(registered.method->name);
  EXPECT_THAT(names, ElementsAre("/blob.BlobStore/Put", "/blob.BlobStore/Get", "/blob.BlobStore/Swap",
                                 "/blob.BlobStore/Stat", "/blob.BlobStore/Explicit", "/blob.BlobStore/Append",
                                 "/blob.BlobStore/List", "/blob.BlobStore/Remove"));
}

TEST_F(ServiceTest, MayHaveNoMethods) {
  const empty::Nothing::Service nothing;
  EXPECT_EQ(ServiceAccess::full_name(nothing), "empty.Nothing");
  EXPECT_THAT(ServiceAccess::methods(nothing), IsEmpty());
}

TEST_F(ServiceTest, AHandlerGetsMessageAndPayload) {
  const auto reply = Run(blobs_, "/blob.BlobStore/Put", PutNamed("a"), PayloadBuffer::Allocate(5000).Freeze());
  ASSERT_TRUE(reply.ok()) << reply.status();
  blob::PutReply put;
  ASSERT_TRUE(put.ParseFromString(reply->bytes));
  EXPECT_EQ(put.size(), 5000u);
  EXPECT_EQ(reply->payload.size(), 0u);
}

TEST_F(ServiceTest, AHandlerReturnsMessageAndPayload) {
  blob::GetRequest request;
  request.set_offset(9);
  const auto reply =
      Run(blobs_, "/blob.BlobStore/Swap", request.SerializeAsString(), PayloadBuffer::Allocate(3).Freeze());
  ASSERT_TRUE(reply.ok()) << reply.status();
  blob::GetReply swap;
  ASSERT_TRUE(swap.ParseFromString(reply->bytes));
  EXPECT_EQ(swap.size(), 9u);
  EXPECT_EQ(reply->payload.size(), 3u);
}

TEST_F(ServiceTest, AnErrorLeavesAsItIs) {
  EXPECT_EQ(Run(blobs_, "/blob.BlobStore/Put", PutNamed("error")).status(), absl::NotFoundError("no such thing"));
}

TEST_F(ServiceTest, WhatIsNotOverriddenIsUnimplemented) {
  EXPECT_EQ(Run(blobs_, "/blob.BlobStore/Get", "").status(),
            absl::UnimplementedError("/blob.BlobStore/Get is not implemented by this server"));
}

TEST_F(ServiceTest, ARequestThatDoesNotParseIsInternal) {
  EXPECT_EQ(Run(blobs_, "/blob.BlobStore/Put", "\xff\xff\xff").status(),
            absl::InternalError("/blob.BlobStore/Put: request is not a valid blob.PutRequest (3 bytes)"));
}

TEST_F(ServiceTest, ARequestWithoutItsRequiredFieldsIsInternal) {
  const Careless careless;
  EXPECT_EQ(Run(careless, "/two.Two/Check", "").status(),
            absl::InternalError(
                "/two.Two/Check: request is not a valid two.Strict (0 bytes): required fields are missing: a, b"));
}

TEST_F(ServiceTest, AReplyWithoutItsRequiredFieldsIsInternal) {
  const Careless careless;
  two::Strict request;
  request.set_a(1);
  request.set_b("");
  EXPECT_EQ(Run(careless, "/two.Two/Check", request.SerializeAsString()).status(),
            absl::InternalError("/two.Two/Check: response two.Strict lacks required fields: a, b"));
}

TEST_F(ServiceTest, WhatAHandlerThrowsIsInternal) {
  EXPECT_EQ(Run(blobs_, "/blob.BlobStore/Put", PutNamed("throw")).status(),
            absl::InternalError("handler of /blob.BlobStore/Put threw: out of ideas"));
  EXPECT_EQ(Run(blobs_, "/blob.BlobStore/Put", PutNamed("throw 7")).status(),
            absl::InternalError("handler of /blob.BlobStore/Put threw something that is not a std::exception"));
}

}  // namespace
}  // namespace pagewire
