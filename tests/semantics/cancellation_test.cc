// The ways to cancel a call, and calls made on behalf of others.
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/latch.h"
#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using CancellationTest = SemanticsTest;

TEST_F(CancellationTest, AStopTokenCancels) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  std::stop_source source;
  context.CancelOn(source.get_token());
  const auto stream = stub.Hang(context);
  ASSERT_EQ(stream->WaitForInitialMetadata(), absl::OkStatus());
  source.request_stop();
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kCancelled);
  service_.AwaitCancelled(1);
}

TEST_F(CancellationTest, AStopBeforeTheCallFailsItAndOneAfterwardsIsNothing) {
  Semantics::Stub stub(MakeChannel());
  std::stop_source source;
  std::optional<ClientContext> served(std::in_place);
  served->CancelOn(source.get_token());
  EXPECT_TRUE(stub.Echo(*served, Item(), Payload()).ok());
  source.request_stop();
  served.reset();
  // However fast the server is.
  for (int i = 0; i < 1000; ++i) {
    ClientContext context;
    context.CancelOn(source.get_token());
    ASSERT_EQ(stub.Echo(context, Item(), Payload()).status().code(), absl::StatusCode::kCancelled);
    ASSERT_TRUE(context.not_started());
  }
}

// The callback may run before the function that started the call has returned.
TEST_F(CancellationTest, ACallThatIsOverBeforeItBeganMayTakeEverythingWithIt) {
  for (int i = 0; i < 1000; ++i) {
    auto stub = std::make_shared<Semantics::Stub>(MakeChannel());
    auto context = std::make_shared<ClientContext>();
    Semantics::Stub::CallbackForm form = stub->Callback();
    ClientContext& used = *context;
    used.TryCancel();
    testing::Latch over;
    form.Echo(used, Item(), Payload(),
              [&over, stub = std::move(stub), context = std::move(context)](const auto& item) mutable {
                EXPECT_EQ(item.status().code(), absl::StatusCode::kCancelled);
                context.reset();
                stub.reset();
                over.CountDown();
              });
    over.Wait();
  }
}

// Makes calls of another server's on behalf of its own.
class Relay final : public Semantics::Service {
 public:
  explicit Relay(std::shared_ptr<Channel> channel) : stub_(std::move(channel)) {}

  absl::Status Hang(ServerContext& context, ServerReaderWriter<Item, Item>&) override {
    const auto child = ClientContext::FromServerContext(context);
    const auto stream = stub_.Hang(*child);
    stream->WaitForInitialMetadata().IgnoreError();
    hangs.CountDown();
    absl::Status status = stream->Finish();
    base::MutexLock lock(mutex);
    end = status.code();
    over.CountDown();
    return status;
  }

  absl::StatusOr<WithPayload<Item>> Echo(ServerContext& context, const Item&, Payload) override {
    for (int i = 0; i < 100; ++i) {
      const auto child = ClientContext::FromServerContext(context);
      absl::StatusOr<WithPayload<Item>> reply = stub_.Echo(*child, Item(), Payload());
      if (!reply.ok()) return reply;
    }
    const auto child = ClientContext::FromServerContext(context);
    child->set_timeout(absl::Hours(100));
    WithPayload<Item> reply;
    reply.message.set_text(child->deadline() == context.deadline() ? "the same" : "another");
    child->set_timeout(absl::ZeroDuration());
    if (child->deadline() < context.deadline()) reply.message.set_number(1);
    return reply;
  }

  testing::Latch hangs;
  testing::Latch over;
  base::Mutex mutex;
  absl::StatusCode end ABSL_GUARDED_BY(mutex) = absl::StatusCode::kOk;

 private:
  Semantics::Stub stub_;
};

class RelayTest : public SemanticsTest {
 protected:
  void SetUp() override {
    SemanticsTest::SetUp();
    relay_.emplace(MakeChannel());
    int port = 0;
    relay_builder_.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &port);
    relay_builder_.RegisterService(&*relay_);
    relay_server_ = *relay_builder_.BuildAndStart();
    stub_.emplace(CreateChannel("ipv4:127.0.0.1:" + std::to_string(port), pagewire::testing::TestChannelCredentials()));
  }

  std::optional<Relay> relay_;
  ServerBuilder relay_builder_;
  std::unique_ptr<Server> relay_server_;
  std::optional<Semantics::Stub> stub_;
};

TEST_F(RelayTest, CancellationReachesTheCallsOfAHandler) {
  ClientContext context;
  const auto stream = stub_->Hang(context);
  relay_->hangs.Wait();
  context.TryCancel();
  relay_->over.Wait();
  service_.AwaitCancelled(1);
  base::MutexLock lock(relay_->mutex);
  EXPECT_EQ(relay_->end, absl::StatusCode::kCancelled);
}

TEST_F(RelayTest, TheDeadlineHoldsForTheCallsOfAHandler) {
  ClientContext context;
  context.set_timeout(absl::Seconds(2));  // long enough to reach the second server
  const auto stream = stub_->Hang(context);
  relay_->over.Wait();
  service_.AwaitCancelled(1);
  base::MutexLock lock(relay_->mutex);
  EXPECT_NE(relay_->end, absl::StatusCode::kOk);
}

TEST_F(RelayTest, ADeadlineOfItsOwnCountsIfItIsEarlier) {
  ClientContext context;
  context.set_timeout(absl::Hours(1));
  absl::StatusOr<WithPayload<Item>> reply = stub_->Echo(context, Item(), Payload());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->message.text(), "the same");
  EXPECT_EQ(reply->message.number(), 1u);
}

}  // namespace
}  // namespace pagewire::semantics
