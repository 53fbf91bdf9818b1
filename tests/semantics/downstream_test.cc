// Metadata that goes from a call to those that its handler makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <string>
#include <utility>

#include "semantics/semantics_service.h"

namespace pagewire::semantics {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Hands on what it was made with, and keeps what the call came with.
class HandsOn final : public ServerInterceptor {
 public:
  HandsOn(std::string key, std::string value) : key_(std::move(key)), value_(std::move(value)) {}
  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method&, ServerContext& context) override {
    context.AddDownstreamMetadata(key_, value_);
    return nullptr;
  }

 private:
  const std::string key_;
  const std::string value_;
};

// Asks another server on behalf of its call, and answers with the metadata that it asked with.
class Asking final : public Semantics::Service {
 public:
  absl::StatusOr<WithPayload<Item>> Echo(ServerContext& context, const Item& item, Payload) override {
    const auto child = ClientContext::FromServerContext(context);
    asked_with = child->metadata();
    handed_on = context.downstream_metadata();
    return next->Echo(*child, item, Payload());
  }
  std::unique_ptr<Semantics::Stub> next;
  Metadata asked_with;
  Metadata handed_on;
};

class DownstreamTest : public SemanticsTest {
 protected:
  void Serve(std::string key, std::string value) {
    asking_.next = std::make_unique<Semantics::Stub>(MakeChannel());
    ServerBuilder builder;
    builder.RegisterService(&asking_).AddInterceptor(std::make_shared<HandsOn>(std::move(key), std::move(value)));
    absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    first_ = *std::move(server);
  }
  absl::Status Call() {
    Semantics::Stub stub(CreateInProcessChannel(*first_));
    ClientContext context;
    context.AddMetadata("own", "secret");
    return stub.Echo(context, Item(), Payload()).status();
  }

  Asking asking_;
  std::unique_ptr<Server> first_;
};

TEST_F(DownstreamTest, WhatWasAddedGoesOnAndNothingElse) {
  Serve("key", "value");
  EXPECT_EQ(Call(), absl::OkStatus());
  EXPECT_THAT(asking_.asked_with, ElementsAre(Pair("key", "value")));
  EXPECT_THAT(asking_.handed_on, ElementsAre(Pair("key", "value")));
}

TEST_F(DownstreamTest, WhatIsNotAllowedFailsTheCallsBelow) {
  Serve("Key", "value");
  EXPECT_EQ(Call().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ClientMetadataTest, IsAddedAndTakenBack) {
  ClientContext context;
  EXPECT_THAT(context.metadata(), IsEmpty());
  context.AddMetadata("a", "1");
  context.AddMetadata("b", "2");
  context.AddMetadata("a", "3");
  EXPECT_THAT(context.metadata(), ElementsAre(Pair("a", "1"), Pair("a", "3"), Pair("b", "2")));
  context.RemoveMetadata("a");
  context.RemoveMetadata("c");
  EXPECT_THAT(context.metadata(), ElementsAre(Pair("b", "2")));
}

}  // namespace
}  // namespace pagewire::semantics
