// Clients of every form with services of every form: all of them do the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "integration/blob_service.h"
#include "semantics/callback_service.h"
#include "semantics/client_forms.h"
#include "semantics/co_service.h"
#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

class FormsTest : public ::testing::TestWithParam<std::tuple<Form, Form>> {
 protected:
  FormsTest() {
    ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &port);
    builder.RegisterService(ServiceOf(std::get<1>(GetParam())));
    server_ = *builder.BuildAndStart();
    channel_ = CreateChannel("ipv4:127.0.0.1:" + std::to_string(port), pagewire::testing::TestChannelCredentials());
    jobs_ = MakeJobs(std::get<0>(GetParam()), channel_);
  }

  Service* ServiceOf(Form form) {
    switch (form) {
      case Form::kBlocking:
        return &blocking_;
      case Form::kCallback:
        return &callback_;
      case Form::kCoroutine:
        return &coroutines_;
    }
    return nullptr;
  }

  SemanticsService blocking_;
  CallbackSemantics callback_;
  CoSemantics coroutines_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<Channel> channel_;
  std::unique_ptr<Jobs> jobs_;
};

TEST_P(FormsTest, Unary) {
  for (const uint64_t size : {0u, 1u, 5000u, 3u << 20}) {
    ClientContext context;
    Item item;
    item.set_number(size);
    absl::StatusOr<WithPayload<Item>> reply = jobs_->Echo(context, item, test::MakePayload(size, size));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->message.number(), size);
    ASSERT_EQ(reply->payload.size(), size);
    EXPECT_EQ(test::HashOf(reply->payload), test::ExpectedHash(size, size));
  }
}

TEST_P(FormsTest, AHandlerThatThrows) {
  ClientContext context;
  Item item;
  item.set_text("throw");
  EXPECT_EQ(jobs_->Echo(context, item, Payload()).status(),
            absl::InternalError("handler of /pagewire.semantics.Semantics/Echo threw: out of ideas"));
}

TEST_P(FormsTest, AStreamingHandlerThatThrows) {
  ClientContext context;
  Semantics::Stub stub(channel_);
  EXPECT_EQ(stub.Throw(context)->Finish(),
            absl::InternalError("handler of /pagewire.semantics.Semantics/Throw threw: out of ideas"));
}

TEST_P(FormsTest, ServerStreaming) {
  ClientContext context;
  Order order;
  order.set_count(500);
  std::vector<uint64_t> expected(500);
  std::iota(expected.begin(), expected.end(), 0u);
  EXPECT_EQ(jobs_->Produce(context, order), std::pair(expected, absl::OkStatus()));
  EXPECT_EQ(context.GetServerInitialMetadata().find("kind")->second, "numbers");
  EXPECT_EQ(context.GetServerTrailingMetadata().find("count")->second, "500");
}

TEST_P(FormsTest, AnErrorAfterMessages) {
  ClientContext context;
  Order order;
  order.set_count(3);
  order.set_code(static_cast<uint32_t>(absl::StatusCode::kDataLoss));
  order.set_message("gone \u263a");
  EXPECT_EQ(jobs_->Produce(context, order),
            std::pair(std::vector<uint64_t>({0, 1, 2}), absl::DataLossError("gone \u263a")));
}

TEST_P(FormsTest, ClientStreaming) {
  for (const uint64_t count : {0u, 1u, 500u}) {
    ClientContext context;
    absl::StatusOr<Summary> summary = jobs_->Collect(context, count);
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->count(), count);
    EXPECT_EQ(summary->numbers(), count * (count + 1) / 2);
  }
}

TEST_P(FormsTest, PayloadsBothWays) {
  ClientContext context;
  std::vector<Payload> payloads;
  std::vector<uint64_t> sizes;
  for (uint64_t i = 0; i < 30; ++i) {
    sizes.push_back(i * 10'000);
    payloads.push_back(test::MakePayload(sizes.back(), i));
  }
  EXPECT_EQ(jobs_->ChatPayloads(context, payloads), std::pair(sizes, absl::OkStatus()));
}

TEST_P(FormsTest, Cancel) {
  ClientContext context;
  EXPECT_EQ(jobs_->CancelHanging(context).code(), absl::StatusCode::kCancelled);
}

TEST_P(FormsTest, AMethodThatIsNotOverridden) {
  ClientContext context;
  Semantics::Stub stub(channel_);
  EXPECT_EQ(stub.Missing(context)->Finish(),
            absl::UnimplementedError("/pagewire.semantics.Semantics/Missing is not implemented by this server"));
}

INSTANTIATE_TEST_SUITE_P(All, FormsTest,
                         ::testing::Combine(::testing::Values(Form::kBlocking, Form::kCallback, Form::kCoroutine),
                                            ::testing::Values(Form::kBlocking, Form::kCallback, Form::kCoroutine)),
                         [](const auto& forms) {
                           return NameOfForm(std::get<0>(forms.param)) + "To" + NameOfForm(std::get<1>(forms.param));
                         });

}  // namespace
}  // namespace pagewire::semantics
