// What interceptors see of calls, and do to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/latch.h"
#include "base/mutex.h"
#include "base/status.h"
#include "semantics/piece_services.h"
#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What observers were told, in order. Waits in the end until none of them is left: they are told after their calls.
class Log {
 public:
  ~Log() {
    base::MutexLock lock(mutex_);
    while (observers_ > 0) changed_.Wait(mutex_);
  }
  void CountObservers(int more) {
    base::MutexLock lock(mutex_);
    observers_ += more;
    changed_.NotifyAll();
  }
  void Add(std::string line) {
    base::MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.NotifyAll();
  }
  // All lines, once there are `ends` of calls among them.
  std::vector<std::string> AwaitEnds(int ends) {
    base::MutexLock lock(mutex_);
    while (Ends() < ends) changed_.Wait(mutex_);
    return lines_;
  }
  std::vector<std::string> lines() {
    base::MutexLock lock(mutex_);
    return lines_;
  }

 private:
  int Ends() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    int ends = 0;
    for (const std::string& line : lines_) ends += line.find(" end ") != line.npos ? 1 : 0;
    return ends;
  }
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  int observers_ ABSL_GUARDED_BY(mutex_) = 0;
};

class LoggingObserver final : public CallObserver {
 public:
  LoggingObserver(std::string name, Log& log) : name_(std::move(name)), log_(log) { log_.CountObservers(1); }
  ~LoggingObserver() override { log_.CountObservers(-1); }
  void OnSent(const MessageTraffic& traffic) override {
    sent_.messages += traffic.messages;
    sent_.payload_bytes += traffic.payload_bytes;
    log_.Add(name_ + " sent");
  }
  void OnReceived(const MessageTraffic& traffic) override {
    received_.messages += traffic.messages;
    received_.payload_bytes += traffic.payload_bytes;
    log_.Add(name_ + " received");
  }
  void OnEnd(const absl::Status& status) override {
    log_.Add(name_ + " end " + std::string(absl::StatusCodeToString(status.code())) + ": " + Sum(sent_) + " out, " +
             Sum(received_) + " in");
  }

 private:
  static std::string Sum(const MessageTraffic& traffic) {
    return std::to_string(traffic.messages) + " with " + std::to_string(traffic.payload_bytes);
  }
  const std::string name_;
  Log& log_;
  MessageTraffic sent_;
  MessageTraffic received_;
};

// Logs, and does what it was told to besides.
template <typename Base, typename Context>
class Interceptor final : public Base {
 public:
  Interceptor(std::string name, Log& log, absl::Status refusal = absl::OkStatus())
      : name_(std::move(name)), log_(log), refusal_(std::move(refusal)) {}
  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method& method, Context& context) override {
    log_.Add(name_ + " asked about " + std::string(method.name.substr(method.name.rfind('/') + 1)));
    if constexpr (std::is_same_v<Context, ClientContext>) {
      if (!metadata.empty()) context.AddMetadata("added-by", metadata);
      if (timeout.has_value()) context.set_timeout(*timeout);
    }
    if (!refusal_.ok()) return base::CloneStatus(refusal_);
    if (silent) return nullptr;
    return std::make_unique<LoggingObserver>(name_, log_);
  }
  bool silent = false;
  std::string metadata;
  std::optional<absl::Duration> timeout;

 private:
  const std::string name_;
  Log& log_;
  const absl::Status refusal_;
};
using OnClient = Interceptor<ClientInterceptor, ClientContext>;
using OnServer = Interceptor<ServerInterceptor, ServerContext>;

class InterceptorTest : public SemanticsTest {
 protected:
  void SetUp() override { builder_.RegisterService(&pieces_); }
  void Serve() { SemanticsTest::SetUp(); }

  // One observer at each end; a channel.
  std::shared_ptr<Channel> ServeWatched() {
    builder_.AddInterceptor(std::make_shared<OnServer>("server", server_log_));
    Serve();
    ChannelOptions options;
    options.interceptors = {std::make_shared<OnClient>("client", client_log_)};
    return MakeChannel(options);
  }

  absl::StatusOr<WithPayload<Item>> Echo(Semantics::Stub& stub, size_t payload_bytes) {
    ClientContext context;
    Item item;
    item.set_text("text");
    return stub.Echo(context, item, Payload::FromCord(absl::Cord(std::string(payload_bytes, 'x'))));
  }

  PieceService pieces_;
  Log client_log_;
  Log server_log_;
};

TEST_F(InterceptorTest, InTheirOrderOutAndBackwardsIn) {
  builder_.AddInterceptor(std::make_shared<OnServer>("c", server_log_));
  builder_.AddInterceptor(std::make_shared<OnServer>("d", server_log_));
  Serve();
  ChannelOptions options;
  options.interceptors = {std::make_shared<OnClient>("a", client_log_), std::make_shared<OnClient>("b", client_log_)};
  Semantics::Stub stub(MakeChannel(options));
  ASSERT_TRUE(Echo(stub, 1000).ok());
  EXPECT_THAT(client_log_.AwaitEnds(2),
              ElementsAre("a asked about Echo", "b asked about Echo", "a sent", "b sent", "b received", "a received",
                          "b end OK: 1 with 1000 out, 1 with 1000 in", "a end OK: 1 with 1000 out, 1 with 1000 in"));
  std::vector<std::string> server = server_log_.AwaitEnds(2);
  ASSERT_EQ(server.size(), 8u);
  EXPECT_EQ(server[0], "c asked about Echo");
  EXPECT_EQ(server[1], "d asked about Echo");
  EXPECT_EQ(server[6], "d end OK: 1 with 1000 out, 1 with 1000 in");
  EXPECT_EQ(server[7], "c end OK: 1 with 1000 out, 1 with 1000 in");
}

TEST_F(InterceptorTest, StreamsAreCounted) {
  Semantics::Stub stub(ServeWatched());
  ClientContext context;
  Order order;
  order.set_count(500);
  order.set_payload_size(100);
  const auto reader = stub.ProducePayloads(context, order);
  while (reader->Read()->has_value()) continue;
  EXPECT_EQ(reader->Finish(), absl::OkStatus());
  EXPECT_EQ(client_log_.AwaitEnds(1).back(), "client end OK: 1 with 0 out, 500 with 50000 in");
  EXPECT_EQ(server_log_.AwaitEnds(1).back(), "server end OK: 500 with 50000 out, 1 with 0 in");
}

TEST_F(InterceptorTest, AStreamOfRequestsWithOneResponse) {
  Semantics::Stub stub(ServeWatched());
  ClientContext context;
  const auto writer = stub.Collect(context);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(writer->Write(Item()), absl::OkStatus());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(client_log_.AwaitEnds(1).back(), "client end OK: 20 with 0 out, 1 with 0 in");
  EXPECT_EQ(server_log_.AwaitEnds(1).back(), "server end OK: 1 with 0 out, 20 with 0 in");
}

TEST_F(InterceptorTest, PiecesAreCountedBesideTheirMessage) {
  Pieces::Stub stub(ServeWatched());
  ClientContext context;
  const auto writer = stub.Put(context, Thing());
  for (int i = 0; i < 3; ++i) ASSERT_EQ(writer->Write(PatternAt(i * 100'000, 100'000)), absl::OkStatus());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(client_log_.AwaitEnds(1).back(), "client end OK: 4 with 300000 out, 1 with 0 in");
  EXPECT_EQ(server_log_.AwaitEnds(1).back(), "server end OK: 1 with 0 out, 4 with 300000 in");
}

TEST_F(InterceptorTest, ARefusalAtTheClient) {
  builder_.AddInterceptor(std::make_shared<OnServer>("server", server_log_));
  Serve();
  ChannelOptions options;
  options.interceptors = {
      std::make_shared<OnClient>("first", client_log_),
      std::make_shared<OnClient>("second", client_log_, absl::PermissionDeniedError("not on Sundays")),
      std::make_shared<OnClient>("third", client_log_)};
  Semantics::Stub stub(MakeChannel(options));
  EXPECT_EQ(Echo(stub, 10).status(), absl::PermissionDeniedError("not on Sundays"));
  EXPECT_THAT(client_log_.AwaitEnds(1), ElementsAre("first asked about Echo", "second asked about Echo",
                                                    "first end PERMISSION_DENIED: 0 with 0 out, 0 with 0 in"));
  ClientContext stream_context, callback_context;
  EXPECT_EQ(stub.Produce(stream_context, Order())->Read().status(), absl::PermissionDeniedError("not on Sundays"));
  testing::Latch done;
  stub.Callback().Echo(callback_context, Item(), Payload(), [&](const auto& reply) {
    EXPECT_EQ(reply.status(), absl::PermissionDeniedError("not on Sundays"));
    done.CountDown();
  });
  done.Wait();
  client_log_.AwaitEnds(3);
  EXPECT_THAT(server_log_.lines(), IsEmpty());
}

TEST_F(InterceptorTest, ARefusalAtTheServer) {
  builder_.AddInterceptor(std::make_shared<OnServer>("first", server_log_));
  builder_.AddInterceptor(
      std::make_shared<OnServer>("second", server_log_, absl::UnauthenticatedError("who are you?")));
  Serve();
  Semantics::Stub stub(MakeChannel());
  EXPECT_EQ(Echo(stub, 10).status(), absl::UnauthenticatedError("who are you?"));
  EXPECT_EQ(server_log_.AwaitEnds(1).back(), "first end UNAUTHENTICATED: 0 with 0 out, 0 with 0 in");
  ClientContext context;
  const auto stream = stub.Chat(context);
  EXPECT_EQ(stream->Read().status(), absl::UnauthenticatedError("who are you?"));
}

TEST_F(InterceptorTest, WhatAClientsInterceptorSetsUp) {
  Serve();
  const auto interceptor = std::make_shared<OnClient>("a", client_log_);
  ChannelOptions options;
  options.interceptors = {interceptor};
  options.max_metadata_bytes = 1000;
  Semantics::Stub stub(MakeChannel(options));
  interceptor->timeout = absl::Milliseconds(50);
  ClientContext hang;
  EXPECT_EQ(stub.Hang(hang)->Finish().code(), absl::StatusCode::kDeadlineExceeded);
  interceptor->timeout.reset();
  interceptor->metadata = std::string(2000, 'x');
  const absl::Status status = Echo(stub, 10).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(client_log_.AwaitEnds(2),
              AllOf(Contains(HasSubstr("end DEADLINE_EXCEEDED")), Contains(HasSubstr("end RESOURCE_EXHAUSTED"))))
      << "the observers of both calls are told, in any order";
}

TEST_F(InterceptorTest, WithoutAnObserver) {
  Serve();
  const auto silent = std::make_shared<OnClient>("silent", client_log_);
  silent->silent = true;
  ChannelOptions options;
  options.interceptors = {silent};
  Semantics::Stub stub(MakeChannel(options));
  EXPECT_TRUE(Echo(stub, 10).ok());
  EXPECT_THAT(client_log_.lines(), ElementsAre("silent asked about Echo"));
}

TEST_F(InterceptorTest, AStreamThatIsDroppedHasAnEnd) {
  Semantics::Stub stub(ServeWatched());
  {
    ClientContext context;
    const auto stream = stub.Chat(context);
    ASSERT_EQ(stream->Write(Item()), absl::OkStatus());
    ASSERT_TRUE(stream->Read()->has_value());
  }
  EXPECT_EQ(client_log_.AwaitEnds(1).back(), "client end CANCELLED: 1 with 0 out, 1 with 0 in");
  EXPECT_EQ(server_log_.AwaitEnds(1).back(), "server end CANCELLED: 1 with 0 out, 1 with 0 in");
}

// Nothing is told while it is being told something.
class SlowObserver final : public CallObserver {
 public:
  SlowObserver(testing::Latch& go_on, testing::Latch& ended, MessageTraffic& received, int& calls)
      : go_on_(go_on), ended_(ended), received_(received), calls_(calls) {}
  void OnReceived(const MessageTraffic& traffic) override {
    go_on_.Wait();
    received_.messages += traffic.messages;
    ++calls_;
  }
  void OnEnd(const absl::Status&) override { ended_.CountDown(); }

 private:
  testing::Latch& go_on_;
  testing::Latch& ended_;
  MessageTraffic& received_;
  int& calls_;
};

TEST_F(InterceptorTest, ASlowObserverIsToldOfSeveralMessagesTogether) {
  Serve();
  testing::Latch go_on, ended;
  MessageTraffic received;
  int calls = 0;
  class Slow final : public ClientInterceptor {
   public:
    explicit Slow(std::unique_ptr<CallObserver> observer) : observer_(std::move(observer)) {}
    absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method&, ClientContext&) override {
      return std::move(observer_);
    }

   private:
    std::unique_ptr<CallObserver> observer_;
  };
  ChannelOptions options;
  options.interceptors = {std::make_shared<Slow>(std::make_unique<SlowObserver>(go_on, ended, received, calls))};
  Semantics::Stub stub(MakeChannel(options));
  ClientContext context;
  Order order;
  order.set_count(10'000);
  const auto reader = stub.Produce(context, order);
  while (reader->Read()->has_value()) continue;
  EXPECT_EQ(reader->Finish(), absl::OkStatus()) << "the call does not wait for it";
  go_on.CountDown();
  ended.Wait();
  EXPECT_EQ(received.messages, 10'000u);
  EXPECT_LE(calls, 2) << "the first message, and all others";
}

TEST_F(InterceptorTest, NullIsRefused) {
  builder_.AddInterceptor(nullptr);
  EXPECT_EQ(builder_.BuildAndStart().status().code(), absl::StatusCode::kInvalidArgument);
  ChannelOptions options;
  options.interceptors = {nullptr};
  Semantics::Stub stub(CreateCustomChannel("ipv4:127.0.0.1:1", pagewire::testing::TestChannelCredentials(), options));
  EXPECT_EQ(Echo(stub, 0).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace pagewire::semantics
