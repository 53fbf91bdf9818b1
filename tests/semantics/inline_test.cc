// Services whose handlers run on the loops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "semantics/callback_service.h"
#include "semantics/client_forms.h"
#include "semantics/co_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using ::testing::ElementsAre;

class InlineServer {
 public:
  explicit InlineServer(Service& service) {
    builder_.AddListeningPort("127.0.0.1:0", pagewire::testing::TestServerCredentials(), &port_);
    builder_.RegisterInlineService(&service);
    server_ = *builder_.BuildAndStart();
  }
  std::shared_ptr<Channel> MakeChannel(const ChannelOptions& options = {}) const {
    return CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port_), pagewire::testing::TestChannelCredentials(),
                               options);
  }

 private:
  ServerBuilder builder_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

// Everything that clients in all forms do, on services whose methods do not block.
template <typename Service>
class InlineTest : public ::testing::Test {};
using Services = ::testing::Types<CallbackSemantics, CoSemantics>;
TYPED_TEST_SUITE(InlineTest, Services);

TYPED_TEST(InlineTest, AllKindsOfCalls) {
  TypeParam service;
  const InlineServer server(service);
  for (const Form form : {Form::kBlocking, Form::kCallback, Form::kCoroutine}) {
    SCOPED_TRACE(NameOfForm(form));
    const auto jobs = MakeJobs(form, server.MakeChannel());
    ClientContext echo, produce, collect, chat, hang;
    const auto item = jobs->Echo(echo, Item(), Payload::FromCord(absl::Cord(std::string(100'000, 'x'))));
    ASSERT_TRUE(item.ok()) << item.status();
    EXPECT_EQ(item->payload.size(), 100'000u);
    Order order;
    order.set_count(3);
    const auto [numbers, status] = jobs->Produce(produce, order);
    EXPECT_EQ(status, absl::OkStatus());
    EXPECT_THAT(numbers, ElementsAre(0, 1, 2));
    EXPECT_EQ(jobs->Collect(collect, 100)->count(), 100u);
    const auto [sizes, end] = jobs->ChatPayloads(chat, {Payload(), Payload::FromCord(absl::Cord("four"))});
    EXPECT_EQ(end, absl::OkStatus());
    EXPECT_THAT(sizes, ElementsAre(0, 4));
    EXPECT_EQ(jobs->CancelHanging(hang).code(), absl::StatusCode::kCancelled);
  }
}

class OddService final : public Semantics::Service {
 public:
  explicit OddService() = default;
  absl::StatusOr<WithPayload<Item>> Echo(ServerContext&, const Item& item, Payload) override {
    if (item.text() == "throw") throw std::runtime_error("on the loop");
    ran_on = std::this_thread::get_id();
    if (stub == nullptr) return WithPayload<Item>{item, Payload()};
    ClientContext context;
    return stub->Echo(context, Item(), Payload());
  }
  std::thread::id ran_on;
  std::unique_ptr<Semantics::Stub> stub;
};

TEST(InlineServiceTest, ABlockingCallInAHandlerIsRefused) {
  OddService inner;
  const InlineServer inner_server(inner);
  OddService outer;
  outer.stub = std::make_unique<Semantics::Stub>(inner_server.MakeChannel());
  const InlineServer outer_server(outer);
  Semantics::Stub stub(outer_server.MakeChannel());
  ClientContext context;
  EXPECT_EQ(stub.Echo(context, Item(), Payload()).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(InlineServiceTest, AHandlerThatThrows) {
  OddService service;
  const InlineServer server(service);
  Semantics::Stub stub(server.MakeChannel());
  Item item;
  item.set_text("throw");
  ClientContext first, second;
  const absl::Status status = stub.Echo(first, item, Payload()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("on the loop"));
  EXPECT_TRUE(stub.Echo(second, Item(), Payload()).ok());
}

TEST(InlineServiceTest, HandlersOfOneConnectionRunOnOneThread) {
  OddService service;
  const InlineServer server(service);
  Semantics::Stub stub(server.MakeChannel());
  std::vector<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) {
    ClientContext context;
    ASSERT_TRUE(stub.Echo(context, Item(), Payload()).ok());
    threads.push_back(service.ran_on);
  }
  EXPECT_THAT(threads, ::testing::Each(threads.front()));
}

ChannelOptions OnLoops() {
  ChannelOptions options;
  options.inline_completions = true;
  return options;
}

// Calls that follow one another, each from the completion of the one before.
struct Chain {
  explicit Chain(std::shared_ptr<Channel> channel) : stub(std::move(channel)) {}

  void Next() {
    context = std::make_unique<ClientContext>();
    starting = true;
    stub.Callback().Echo(*context, Item(), Payload(), [this](absl::StatusOr<WithPayload<Item>> reply) {
      EXPECT_TRUE(reply.ok()) << reply.status();
      EXPECT_FALSE(starting) << "inside the call that caused it";
      threads.push_back(std::this_thread::get_id());
      ClientContext blocking;
      refused = stub.Echo(blocking, Item(), Payload()).status();
      if (threads.size() == 100 || !reply.ok()) return done.set_value();
      Next();
    });
    starting = false;
  }

  Semantics::Stub stub;
  std::unique_ptr<ClientContext> context;
  static inline thread_local bool starting = false;  // a call, on this thread
  std::vector<std::thread::id> threads;
  absl::Status refused;
  std::promise<void> done;
};

TEST(InlineCompletionTest, CompletionsRunOnTheLoopAndMayNotBlock) {
  OddService service;
  const InlineServer server(service);
  Chain chain(server.MakeChannel(OnLoops()));
  chain.Next();
  chain.done.get_future().wait();
  // The first call may have been started before there was a connection.
  EXPECT_THAT(std::vector(chain.threads.begin() + 1, chain.threads.end()), ::testing::Each(chain.threads.back()));
  EXPECT_EQ(chain.refused.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(InlineCompletionTest, ACompletionMayDestroyItsStubItsChannelAndItsContext) {
  OddService service;
  const InlineServer server(service);
  for (int i = 0; i < 20; ++i) {
    auto stub = std::make_unique<Semantics::Stub>(server.MakeChannel(OnLoops()));
    auto context = std::make_unique<ClientContext>();
    std::promise<absl::Status> done;
    stub->Callback().Echo(*context, Item(), Payload(), [&](absl::StatusOr<WithPayload<Item>> reply) {
      context = nullptr;
      stub = nullptr;
      done.set_value(reply.status());
    });
    EXPECT_EQ(done.get_future().get(), absl::OkStatus());
  }
}

TEST(InlineCompletionTest, CallsThatFailAtOnceCompleteToo) {
  Semantics::Stub stub(CreateCustomChannel("ipv4:127.0.0.1:1", pagewire::testing::TestChannelCredentials(), OnLoops()));
  ClientContext context;
  std::promise<absl::Status> done;
  stub.Callback().Echo(context, Item(), Payload(),
                       [&](absl::StatusOr<WithPayload<Item>> reply) { done.set_value(reply.status()); });
  EXPECT_EQ(done.get_future().get().code(), absl::StatusCode::kUnavailable);
}

// A service whose stream is answered in the callback form: remembers on which threads.
class ReadingService final : public Semantics::CallbackService {
 public:
  void Collect(ServerContext&, AsyncServerReader<Item> reader,
               absl::AnyInvocable<void(absl::StatusOr<Summary>)> done) override {
    handler = std::this_thread::get_id();
    Next(std::move(reader), std::move(done));
  }

  void Next(AsyncServerReader<Item> reader, absl::AnyInvocable<void(absl::StatusOr<Summary>)> done) {
    reading = true;
    reader.Read([this, reader, done = std::move(done)](absl::StatusOr<std::optional<Item>> item) mutable {
      EXPECT_FALSE(reading) << "inside the read";
      readers.push_back(std::this_thread::get_id());
      if (!item.ok()) return done(item.status());
      if (!item->has_value()) return done(Summary());
      Next(std::move(reader), std::move(done));
    });
    reading = false;
  }

  std::thread::id handler;
  std::vector<std::thread::id> readers;
  static inline thread_local bool reading = false;
};

TEST(InlineServiceTest, StreamsAreAnsweredOnTheLoopToo) {
  ReadingService service;
  const InlineServer server(service);
  Semantics::Stub stub(server.MakeChannel());
  ClientContext context;
  const auto writer = stub.Collect(context);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(writer->Write(Item()), absl::OkStatus());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(service.readers.size(), 21u);
  EXPECT_THAT(service.readers, ::testing::Each(service.handler));
}

// Writes one after the other, each from the completion of the one before.
struct Writing {
  explicit Writing(const std::shared_ptr<Channel>& channel) : stub(channel), writer(stub.Callback().Collect(context)) {}

  void Next() {
    calling = true;
    writer.Write(Item(), [this](const absl::Status& status) {
      EXPECT_EQ(status, absl::OkStatus());
      EXPECT_FALSE(calling) << "inside the write";
      threads.push_back(std::this_thread::get_id());
      refused = stub.Echo(blocking, Item(), Payload()).status();
      if (threads.size() < 20) return Next();
      writer.Finish([this](const absl::StatusOr<Summary>& summary) {
        threads.push_back(std::this_thread::get_id());
        done.set_value(summary.status());
      });
    });
    calling = false;
  }

  Semantics::Stub stub;
  ClientContext context, blocking;
  AsyncClientWriter<Item, Summary> writer;
  static inline thread_local bool calling = false;
  std::vector<std::thread::id> threads;
  absl::Status refused;
  std::promise<absl::Status> done;
};

TEST(InlineCompletionTest, StreamsCompleteOnTheLoopAndMayNotBlockThere) {
  ReadingService service;
  const InlineServer server(service);
  Writing writing(server.MakeChannel(OnLoops()));
  writing.Next();
  EXPECT_EQ(writing.done.get_future().get(), absl::OkStatus());
  EXPECT_THAT(writing.threads, ::testing::Each(writing.threads.front()));
  EXPECT_EQ(writing.refused.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(InlineCompletionTest, AStreamsCompletionMayDestroyItAndItsChannel) {
  ReadingService service;
  const InlineServer server(service);
  for (int i = 0; i < 20; ++i) {
    auto writing = std::make_unique<Writing>(server.MakeChannel(OnLoops()));
    std::promise<void> done;
    writing->writer.Write(Item(), [&](const absl::Status&) {
      writing = nullptr;
      done.set_value();
    });
    done.get_future().wait();
  }
}

}  // namespace
}  // namespace pagewire::semantics
