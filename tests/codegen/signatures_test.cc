// What the generated classes look like to the compiler, and every generated mock header.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <type_traits>

#include "blob.pagewire.mock.h"
#include "comments.pagewire.mock.h"
#include "deprecated.pagewire.mock.h"
#include "empty_services.pagewire.mock.h"
#include "foo_absl.pagewire.mock.h"
#include "lite.pagewire.mock.h"
#include "names.pagewire.mock.h"
#include "nested_names.pagewire.mock.h"
#include "no_package.pagewire.mock.h"
#include "no_service.pagewire.mock.h"
#include "nothing.pagewire.mock.h"
#include "proto2.pagewire.mock.h"
#include "sub/imports.pagewire.mock.h"
#include "sub/more-types.v2.pagewire.mock.h"
#include "sub/types.pagewire.mock.h"

namespace {

using blob::BlobStore;
using blob::GetReply;
using blob::GetRequest;
using blob::PutReply;
using blob::PutRequest;
using pagewire::ClientContext;
using pagewire::Payload;
using pagewire::ServerContext;
using pagewire::WithPayload;

// As a user writes it: unqualified messages, parameters without names.
class Impl final : public BlobStore::Service {
 public:
  absl::StatusOr<PutReply> Put(ServerContext&, const PutRequest&, Payload) override { return PutReply(); }
  absl::StatusOr<WithPayload<GetReply>> Get(ServerContext&, const GetRequest&) override {
    return WithPayload<GetReply>();
  }
  absl::StatusOr<WithPayload<GetReply>> Swap(ServerContext&, const GetRequest&, Payload payload) override {
    return WithPayload<GetReply>{GetReply(), std::move(payload)};
  }
  absl::StatusOr<GetReply> Stat(ServerContext&, const GetRequest&) override { return GetReply(); }
};

using Stub = BlobStore::Stub;
template <typename Reply>
using Done = absl::AnyInvocable<void(absl::StatusOr<Reply>)>;
using Form = Stub::CallbackForm;

static_assert(std::is_same_v<decltype(&Stub::Put),
                             absl::StatusOr<PutReply> (Stub::*)(ClientContext&, const PutRequest&, Payload)>);
static_assert(std::is_same_v<decltype(&Stub::Get),
                             absl::StatusOr<WithPayload<GetReply>> (Stub::*)(ClientContext&, const GetRequest&)>);
static_assert(std::is_same_v<decltype(&Stub::Swap), absl::StatusOr<WithPayload<GetReply>> (Stub::*)(
                                                        ClientContext&, const GetRequest&, Payload)>);
static_assert(
    std::is_same_v<decltype(&Stub::Stat), absl::StatusOr<GetReply> (Stub::*)(ClientContext&, const GetRequest&)>);
static_assert(std::is_same_v<decltype(&Stub::Explicit), decltype(&Stub::Stat)>);
static_assert(
    std::is_same_v<decltype(&Form::Put), void (Form::*)(ClientContext&, const PutRequest&, Payload, Done<PutReply>)>);
static_assert(std::is_same_v<decltype(&Form::Get),
                             void (Form::*)(ClientContext&, const GetRequest&, Done<WithPayload<GetReply>>)>);

static_assert(!std::is_default_constructible_v<BlobStore> && !std::is_default_constructible_v<Stub>);
static_assert(!std::is_copy_constructible_v<Stub> && !std::is_copy_constructible_v<BlobStore::Service>);
static_assert(!std::is_convertible_v<std::shared_ptr<pagewire::Channel>, Stub>);
static_assert(std::has_virtual_destructor_v<Stub> && std::has_virtual_destructor_v<BlobStore::Service>);
static_assert(std::is_base_of_v<pagewire::Service, BlobStore::Service>);

// Streams.
static_assert(
    std::is_same_v<decltype(&Stub::Append), std::unique_ptr<pagewire::ClientWriter<WithPayload<PutRequest>, PutReply>> (
                                                Stub::*)(ClientContext&)>);
static_assert(std::is_same_v<decltype(&Stub::List), std::unique_ptr<pagewire::ClientReader<GetReply>> (Stub::*)(
                                                        ClientContext&, const GetRequest&)>);
static_assert(std::is_same_v<decltype(&BlobStore::Service::Append),
                             absl::StatusOr<PutReply> (BlobStore::Service::*)(
                                 pagewire::ServerContext&, pagewire::ServerReader<WithPayload<PutRequest>>&)>);
static_assert(std::is_same_v<decltype(&BlobStore::Service::List),
                             absl::Status (BlobStore::Service::*)(pagewire::ServerContext&, const GetRequest&,
                                                                  pagewire::ServerWriter<GetReply>&)>);

// Names that had to give way.
static_assert(std::is_class_v<foo::std::Stub_::Stub> && std::is_class_v<foo::std::Service_::Service>);
static_assert(std::is_class_v<foo::std::MockStub_::MockStub> && std::is_class_v<foo::std::absl::Stub>);
static_assert(std::is_class_v<::Service_::Stub> && std::is_class_v<std_::Stub>);

TEST(SignaturesTest, ServicesCanBeImplemented) {
  Impl impl;
  foo::std::Stub_::Service unimplemented;
  empty::Nothing::Service nothing;
}

TEST(MockStubTest, StandsInForAStub) {
  BlobStore::MockStub mock;
  Stub& stub = mock;
  WithPayload<GetReply> reply;
  reply.message.set_size(7);
  EXPECT_CALL(mock, Get).WillOnce(testing::Return(reply));
  EXPECT_CALL(mock, Put(testing::_, testing::Property(&PutRequest::name, "a"), testing::_))
      .WillOnce(testing::Return(absl::UnavailableError("gone")));
  ClientContext context;
  EXPECT_EQ(stub.Get(context, GetRequest())->message.size(), 7u);
  PutRequest request;
  request.set_name("a");
  EXPECT_EQ(stub.Put(context, request, Payload()).status(), absl::UnavailableError("gone"));
}

TEST(MockStubTest, AwkwardNamesCanBeExpected) {
  awkward::pagewire::Class::MockStub mock;
  EXPECT_CALL(mock, delete_);
  EXPECT_CALL(mock, std).WillOnce(testing::Return(absl::AbortedError("std")));
  ClientContext context;
  EXPECT_FALSE(mock.delete_(context, awkward::pagewire::delete_(), Payload()).ok());
  EXPECT_EQ(mock.std(context, awkward::pagewire::Method()).status(), absl::AbortedError("std"));
}

}  // namespace
