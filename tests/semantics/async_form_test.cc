// What the callback and the coroutine form have of their own: lifetimes, and handlers that do not answer properly.
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/latch.h"
#include "semantics/callback_service.h"
#include "semantics/co_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using ::testing::HasSubstr;

template <typename Service>
class AsyncFormTest : public ::testing::Test {
 protected:
  AsyncFormTest() {
    ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = *builder.BuildAndStart();
  }

  std::shared_ptr<Channel> MakeChannel() const {
    return CreateChannel("ipv4:127.0.0.1:" + std::to_string(port_), pagewire::testing::TestChannelCredentials());
  }

  absl::Status Echo(const std::string& text) {
    ClientContext context;
    Semantics::Stub stub(MakeChannel());
    Item item;
    item.set_text(text);
    return stub.Echo(context, item, Payload()).status();
  }

  Service service_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

using CallbackFormTest = AsyncFormTest<CallbackSemantics>;
using CoFormTest = AsyncFormTest<CoSemantics>;

TEST_F(CallbackFormTest, AHandlerThatDropsDoneAnswersInternal) {
  EXPECT_EQ(Echo("drop"), absl::InternalError("handler of /pagewire.semantics.Semantics/Echo dropped its done "
                                              "callback without calling it"));
  EXPECT_EQ(Echo("and on"), absl::OkStatus());
}

class LastLine final : public LogSink {
 public:
  void Write(LogSeverity, std::string_view message, std::string_view, int) override {
    line.set_value(std::string(message));
  }
  std::promise<std::string> line;
};

TEST_F(CallbackFormTest, TheFirstOfTwoAnswersCounts) {
  const auto sink = std::make_shared<LastLine>();
  SetLogSink(sink);
  EXPECT_EQ(Echo("twice"), absl::OkStatus());
  EXPECT_THAT(sink->line.get_future().get(), HasSubstr("called its done callback a second time"));
  SetLogSink(nullptr);
}

TEST_F(CallbackFormTest, ACallbackMayDestroyItsStubItsChannelAndItsContext) {
  auto channel = MakeChannel();
  auto stub = std::make_unique<Semantics::Stub>(channel);
  auto context = std::make_unique<ClientContext>();
  testing::Latch done;
  stub->Callback().Echo(*context, Item(), Payload(), [&](absl::StatusOr<WithPayload<Item>> reply) {
    EXPECT_TRUE(reply.ok()) << reply.status();
    context.reset();
    stub.reset();
    channel.reset();
    done.CountDown();
  });
  done.Wait();
}

TEST_F(CallbackFormTest, AReadsCallbackMayDestroyItsStubAndItsChannel) {
  auto channel = MakeChannel();
  auto stub = std::make_unique<Semantics::Stub>(channel);
  ClientContext context;
  std::optional<AsyncClientReaderWriter<Item, Item>> stream = stub->Callback().Chat(context);
  testing::Latch done;
  stream->Write(Item(), nullptr);
  stream->Read([&](absl::StatusOr<std::optional<Item>> item) {
    EXPECT_TRUE(item.ok() && item->has_value()) << item.status();
    stub.reset();
    channel.reset();
    stream.reset();
    done.CountDown();
  });
  done.Wait();
}

TEST_F(CallbackFormTest, WithoutAHandleACallIsCancelledAndPendingOperationsAreAnswered) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  std::promise<absl::Status> read;
  {
    const auto stream = stub.Callback().Hang(context);
    const auto copy = stream;
    copy.Read([&](absl::StatusOr<std::optional<Item>> item) { read.set_value(item.status()); });
  }
  EXPECT_EQ(read.get_future().get().code(), absl::StatusCode::kCancelled);
}

TEST_F(CallbackFormTest, WritesAreAnsweredInTheirOrderAndAfterTheEndWithItsStatus) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Callback().Chat(context);
  std::promise<absl::Status> late;
  int answered = 0;  // the callbacks run one after the other, but not on one thread
  base::Mutex mutex;
  for (int i = 0; i < 10; ++i) {
    stream.Write(Item(), [&](absl::Status status) {
      EXPECT_EQ(status, absl::OkStatus());
      base::MutexLock lock(mutex);
      ++answered;
    });
  }
  stream.WritesDone(nullptr);
  stream.Write(Item(), [&](absl::Status status) { late.set_value(std::move(status)); });
  EXPECT_EQ(late.get_future().get().code(), absl::StatusCode::kFailedPrecondition);
  std::promise<absl::Status> end;
  stream.Finish([&](absl::Status status) { end.set_value(std::move(status)); });
  EXPECT_EQ(end.get_future().get(), absl::OkStatus());
}

// A handler that goes on after it has answered, as one may that cleans up behind itself.
class GoingOn final : public Semantics::CallbackService {
 public:
  void Echo(ServerContext&, const Item& item, Payload,
            absl::AnyInvocable<void(absl::StatusOr<WithPayload<Item>>)> done) override {
    done(WithPayload<Item>{item, Payload()});
    done = nullptr;  // so that nothing but the running handler itself is left
    answered.Wait();
    absl::SleepFor(absl::Milliseconds(50));  // for a server that does not wait to be seen; one that does takes any time
    over = true;
  }
  testing::Latch answered;
  std::atomic<bool> over = false;
};

TEST(GoingOnTest, AServerWaitsForAHandlerThatHasAnsweredAlready) {
  GoingOn service;
  const std::shared_ptr<Executor> executor = MakeThreadPool();  // not the server's, whose end waits for its threads
  int port = 0;
  ServerBuilder builder;
  builder.SetExecutor(executor);
  builder.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &port);
  builder.RegisterService(&service);
  std::unique_ptr<Server> server = *builder.BuildAndStart();
  Semantics::Stub stub(
      CreateChannel("ipv4:127.0.0.1:" + std::to_string(port), pagewire::testing::TestChannelCredentials()));
  ClientContext context;
  EXPECT_TRUE(stub.Echo(context, Item(), Payload()).ok());
  service.answered.CountDown();
  server.reset();
  EXPECT_TRUE(service.over);
}

// A service whose handles outlive their calls.
class Keeping final : public Semantics::CallbackService {
 public:
  void Chat(ServerContext&, AsyncServerReaderWriter<Item, Item> stream,
            absl::AnyInvocable<void(absl::Status)> done) override {
    kept.set_value(stream);
    done(absl::OkStatus());
  }
  std::promise<AsyncServerReaderWriter<Item, Item>> kept;
};

TEST(KeptHandleTest, OfAServerAnswersWithCancelledOnceTheCallIsOver) {
  Keeping service;
  int port = 0;
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &port);
  builder.RegisterService(&service);
  std::unique_ptr<Server> server = *builder.BuildAndStart();
  Semantics::Stub stub(
      CreateChannel("ipv4:127.0.0.1:" + std::to_string(port), pagewire::testing::TestChannelCredentials()));
  ClientContext context;
  EXPECT_EQ(stub.Chat(context)->Finish(), absl::OkStatus());
  const AsyncServerReaderWriter<Item, Item> stream = service.kept.get_future().get();
  for (const bool with_server : {true, false}) {
    if (!with_server) server.reset();
    std::promise<absl::Status> read;
    std::promise<absl::Status> written;
    stream.Read([&](absl::StatusOr<std::optional<Item>> item) { read.set_value(item.status()); });
    stream.Write(Item(), [&](absl::Status status) { written.set_value(std::move(status)); });
    stream.SendInitialMetadata();
    EXPECT_EQ(read.get_future().get().code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(written.get_future().get().code(), absl::StatusCode::kCancelled);
  }
}

TEST_F(CoFormTest, AClientThatCancelsWakesTheCoroutineOfTheHandler) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  const auto stream = stub.Hang(context);
  ASSERT_EQ(stream->WaitForInitialMetadata(), absl::OkStatus());
  context.TryCancel();
  service_.hang_over.Wait();
}

TEST_F(CoFormTest, AnAwaitableThatIsNotAwaitedMakesNoCall) {
  Semantics::Stub stub(MakeChannel());
  ClientContext context;
  { auto unused = stub.Co().Echo(context, Item(), Payload()); }
  EXPECT_TRUE(stub.Echo(context, Item(), Payload()).ok()) << "the context has not served a call yet";
}

TEST_F(CoFormTest, TheRequestNeedNotLiveUntilTheCallIsAwaited) {
  Semantics::Stub stub(MakeChannel());
  const auto echo = [&]() -> Task<std::string> {
    ClientContext context;
    auto item = std::make_unique<Item>();
    item->set_text("still there");
    auto call = stub.Co().Echo(context, *item, Payload());
    item.reset();
    absl::StatusOr<WithPayload<Item>> reply = co_await std::move(call);
    co_return reply.ok() ? reply->message.text() : reply.status().ToString();
  };
  EXPECT_EQ(Wait(echo()), "still there");
}

TEST_F(CoFormTest, TasksAwaitTasks) {
  Semantics::Stub stub(MakeChannel());
  const auto count = [&](int number) -> Task<int> {
    ClientContext context;
    Item item;
    item.set_number(number);
    absl::StatusOr<WithPayload<Item>> reply = co_await stub.Co().Echo(context, item, Payload());
    co_return reply.ok() ? static_cast<int>(reply->message.number()) : -1;
  };
  const auto fail = []() -> Task<> {
    throw std::runtime_error("thrown");
    co_return;
  };
  const auto all = [&]() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 100; ++i) sum += co_await count(i);
    try {
      co_await fail();
    } catch (const std::runtime_error&) {
      sum += 1'000'000;
    }
    co_return sum;
  };
  EXPECT_EQ(Wait(all()), 1'004'950);
}

}  // namespace
}  // namespace pagewire::semantics
