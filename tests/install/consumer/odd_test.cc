// Names that mean something in C++, and files with odd names, compile and can be called.
#include <pagewire/pagewire.h>

#include <absl/status/status.h>
#include <gtest/gtest.h>

#include <memory>
#include <type_traits>

#include "odd/file-name.with.dots.pagewire.h"
#include "odd/nothing.pagewire.h"

namespace {

TEST(OddTest, KeywordsGetATrailingUnderscore) {
  class Impl final : public odd::names::Class::Service {
   public:
    absl::StatusOr<odd::names::Channel> delete_(pagewire::ServerContext&, const odd::names::Request& request) override {
      odd::names::Channel reply;
      reply.set_int_(static_cast<int>(request.class_().size()));
      return reply;
    }
  };
  Impl impl;
  odd::names::NoMethods::Service nothing;
  pagewire::ServerBuilder builder;
  builder.RegisterService(&impl).RegisterService(&nothing);
  auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();

  odd::names::Class::Stub stub(pagewire::CreateInProcessChannel(**server));
  odd::names::Request request;
  request.set_class_("four");
  pagewire::ClientContext context;
  const auto reply = stub.delete_(context, request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->int_(), 4);
}

}  // namespace
