// Spans of calls, and how traces go from process to process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/tracing.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "admin/recording_tracer.h"
#include "admin/watched_calls.h"

namespace pagewire::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kTraceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class TracingTest : public WatchedCallsTest {
 protected:
  void SetUp() override { Serve({MakeServerTracing(server_tracer_)}, {MakeClientTracing(client_tracer_)}); }

  // What the server was sent, by way of Blob.Echo.
  std::string Sent(const ClientContext& context, const std::string& key) {
    const auto [first, last] = context.GetServerTrailingMetadata().equal_range("echo-" + key);
    std::string all;
    for (auto it = first; it != last; ++it) all += it->second + ";";
    return all;
  }

  const std::shared_ptr<RecordingTracer> client_tracer_ = std::make_shared<RecordingTracer>(1);
  const std::shared_ptr<RecordingTracer> server_tracer_ = std::make_shared<RecordingTracer>(2);
};

TEST_F(TracingTest, ACallIsASpanAtEachEnd) {
  ClientContext context;
  ASSERT_TRUE(stub_->Echo(context, {}).ok());
  AwaitEnds(1);
  ASSERT_EQ(client_tracer_->spans().size(), 1u);
  ASSERT_EQ(server_tracer_->spans().size(), 1u);
  const RecordedSpan client = client_tracer_->spans()[0], server = server_tracer_->spans()[0];
  EXPECT_EQ(client.name, "pagewire.test.Blob/Echo");
  EXPECT_EQ(client.kind, SpanKind::kClient);
  EXPECT_FALSE(client.parent.valid());
  EXPECT_EQ(client.end, "OK");
  EXPECT_THAT(client.attributes,
              UnorderedElementsAre(Pair("rpc.system", "pagewire"), Pair("rpc.service", "pagewire.test.Blob"),
                                   Pair("rpc.method", "Echo"), Pair("network.peer.address", target()),
                                   Pair("rpc.pagewire.status_code", "OK")));
  EXPECT_EQ(server.name, "pagewire.test.Blob/Echo");
  EXPECT_EQ(server.kind, SpanKind::kServer);
  EXPECT_EQ(server.parent, client.context) << "carried by the metadata";
  EXPECT_EQ(server.end, "OK");
  EXPECT_THAT(server.attributes,
              UnorderedElementsAre(
                  Pair("rpc.system", "pagewire"), Pair("rpc.service", "pagewire.test.Blob"), Pair("rpc.method", "Echo"),
                  Pair("network.peer.address", StartsWith("ipv4:127.0.0.1:")), Pair("rpc.pagewire.status_code", "OK")));
  EXPECT_EQ(Sent(context, "traceparent"), FormatTraceparent(client.context) + ";");
}

TEST_F(TracingTest, WhatWentEachWayIsAnEvent) {
  ClientContext context;
  test::BlobRequest request;
  request.set_seed(7);
  const auto reply = stub_->Swap(context, request, test::MakePayload(10'000, 7));
  ASSERT_TRUE(reply.ok()) << reply.status();
  AwaitEnds(1);
  const std::string request_bytes = std::to_string(request.ByteSizeLong());
  const std::string reply_bytes = std::to_string(reply->message.ByteSizeLong());
  const RecordedSpan client = client_tracer_->spans()[0], server = server_tracer_->spans()[0];
  EXPECT_THAT(client.events, UnorderedElementsAre(
                                 "message.sent messages=1 message_bytes=" + request_bytes + " payload_bytes=10000",
                                 "message.received messages=1 message_bytes=" + reply_bytes + " payload_bytes=10000"));
  EXPECT_THAT(server.events, UnorderedElementsAre(
                                 "message.received messages=1 message_bytes=" + request_bytes + " payload_bytes=10000",
                                 "message.sent messages=1 message_bytes=" + reply_bytes + " payload_bytes=10000"));
}

TEST_F(TracingTest, WhatBecomesOfAPayloadAreSpansBelowItsCall) {
  ClientContext context;
  test::BlobRequest request;
  request.set_seed(7);
  ASSERT_TRUE(stub_->Swap(context, request, test::MakePayload(10'000, 7)).ok());
  AwaitEnds(1);
  const CallTransferReport& report = context.transfer_report();
  const auto of_payload = [](std::vector<std::pair<std::string, std::string>> more) {
    std::map<std::string, std::string> attributes(more.begin(), more.end());
    attributes["payloads"] = "1";
    attributes["payload_bytes"] = "10000";
    return attributes;
  };
  std::map<std::string, RecordedSpan> client, server;
  for (const RecordedSpan& span : client_tracer_->spans()) client[span.name] = span;
  for (const RecordedSpan& span : server_tracer_->spans()) server[span.name] = span;
  ASSERT_THAT(client, ElementsAre(Key("pagewire.test.Blob/Swap"), Key("payload.ack"), Key("payload.receive"),
                                  Key("payload.send")));
  const RecordedSpan call = client["pagewire.test.Blob/Swap"];
  for (const std::string name : {"payload.send", "payload.ack", "payload.receive"}) {
    EXPECT_EQ(client[name].parent, call.context);
    EXPECT_EQ(client[name].kind, SpanKind::kInternal);
    EXPECT_EQ(client[name].end, "OK");
    EXPECT_LE(call.began, client[name].began);
    EXPECT_LE(client[name].began, client[name].ended);
    EXPECT_LE(client[name].ended, call.ended);
  }
  EXPECT_EQ(client["payload.send"].began, report.sent.began);
  EXPECT_EQ(client["payload.send"].ended, report.sent.finished);
  EXPECT_EQ(client["payload.ack"].began, report.sent.finished);
  EXPECT_EQ(client["payload.receive"].ended, report.received.finished);
  EXPECT_EQ(client["payload.send"].attributes, of_payload({{"chunks", std::to_string(report.sent.chunks)}}));
  EXPECT_EQ(client["payload.ack"].attributes,
            of_payload({{"mapped_bytes", "0"}, {"copied_bytes", "10000"}, {"acks", std::to_string(report.sent.acks)}}));
  const auto received = of_payload({{"mapped_bytes", "0"}, {"copied_bytes", "10000"}, {"chunks", "1"}});
  EXPECT_EQ(client["payload.receive"].attributes, received);
  EXPECT_EQ(server["payload.receive"].attributes, received);
  EXPECT_EQ(server["payload.receive"].parent, server["pagewire.test.Blob/Swap"].context);
}

TEST_F(TracingTest, ACallThatFailsLeavesNoSpanOpen) {
  ClientContext context;
  test::BlobRequest request;
  request.set_code(static_cast<uint32_t>(absl::StatusCode::kNotFound));
  ASSERT_FALSE(stub_->Put(context, request, test::MakePayload(10'000, 7)).ok());
  AwaitEnds(1);
  for (const RecordedSpan& span : client_tracer_->spans()) EXPECT_NE(span.end, "") << span.name;
}

TEST_F(TracingTest, AFailedCall) {
  ClientContext context;
  test::BlobRequest request;
  request.set_code(static_cast<uint32_t>(absl::StatusCode::kNotFound));
  request.set_text("not here");
  ASSERT_FALSE(stub_->Echo(context, request).ok());
  AwaitEnds(1);
  EXPECT_EQ(client_tracer_->spans()[0].attributes["rpc.pagewire.status_code"], "NOT_FOUND");
  EXPECT_THAT(client_tracer_->spans()[0].end, StartsWith("NOT_FOUND: not here"));
  EXPECT_THAT(server_tracer_->spans()[0].end, StartsWith("NOT_FOUND: not here"));
}

TEST_F(TracingTest, TheCallersOwnTraceIsGoneOnWith) {
  ClientContext context;
  context.AddMetadata("traceparent", kTraceparent);
  context.AddMetadata("tracestate", "vendor=1");
  ASSERT_TRUE(stub_->Echo(context, {}).ok());
  AwaitEnds(1);
  const RecordedSpan client = client_tracer_->spans()[0];
  EXPECT_EQ(FormatTraceparent(client.parent), kTraceparent);
  EXPECT_EQ(client.context.trace_id, client.parent.trace_id);
  EXPECT_EQ(Sent(context, "traceparent"), FormatTraceparent(client.context) + ";") << "one, which is the span's";
  EXPECT_EQ(Sent(context, "tracestate"), "vendor=1;");
  EXPECT_EQ(server_tracer_->spans()[0].parent, client.context);
}

TEST_F(TracingTest, ATraceparentThatBreaksTheRulesIsReplaced) {
  ClientContext context;
  context.AddMetadata("traceparent", "nonsense");
  context.AddMetadata("tracestate", "vendor=1");
  ASSERT_TRUE(stub_->Echo(context, {}).ok());
  AwaitEnds(1);
  const RecordedSpan client = client_tracer_->spans()[0];
  EXPECT_FALSE(client.parent.valid());
  EXPECT_EQ(Sent(context, "traceparent"), FormatTraceparent(client.context) + ";");
  EXPECT_EQ(Sent(context, "tracestate"), "");
}

TEST_F(TracingTest, ATracerThatDoesNotRecordHandsTheParentOn) {
  client_tracer_->Stop();
  ClientContext context;
  context.AddMetadata("traceparent", kTraceparent);
  ASSERT_TRUE(stub_->Echo(context, {}).ok());
  AwaitEnds(1);
  EXPECT_EQ(Sent(context, "traceparent"), std::string(kTraceparent) + ";");
  EXPECT_EQ(FormatTraceparent(server_tracer_->spans()[0].parent), kTraceparent);
}

TEST_F(TracingTest, WithoutATracer) {
  EXPECT_EQ(MakeClientTracing(nullptr), nullptr);
  EXPECT_EQ(MakeServerTracing(nullptr), nullptr);
}

// Answers by asking the server of the fixture.
class Asking final : public test::Blob::Service {
 public:
  explicit Asking(std::shared_ptr<Channel> channel) : stub_(std::move(channel)) {}
  absl::StatusOr<test::BlobReply> Echo(ServerContext& context, const test::BlobRequest& request) override {
    const auto child = ClientContext::FromServerContext(context);
    absl::StatusOr<test::BlobReply> reply = stub_.Echo(*child, request);
    for (const auto& [key, value] : child->GetServerTrailingMetadata()) {
      if (key == "echo-traceparent" || key == "echo-tracestate") context.AddTrailingMetadata(key, value);
    }
    return reply;
  }

 private:
  test::Blob::Stub stub_;
};

class ChainTest : public TracingTest {
 protected:
  // The caller's traceparent is given; what arrived at the last server comes back.
  std::string Ask(std::vector<std::shared_ptr<ClientInterceptor>> interceptors) {
    ChannelOptions options;
    options.interceptors = std::move(interceptors);
    Asking asking(CreateInProcessChannel(*server_, options));
    ServerBuilder builder;
    builder.RegisterService(&asking)
        .AddInterceptor(std::make_shared<CountsEnds<ServerInterceptor, ServerContext>>(middle_ends_))
        .AddInterceptor(MakeServerTracing(middle_tracer_));
    const absl::StatusOr<std::unique_ptr<Server>> middle = builder.BuildAndStart();
    EXPECT_TRUE(middle.ok()) << middle.status();
    test::Blob::Stub stub(CreateInProcessChannel(**middle));
    ClientContext context;
    context.AddMetadata("traceparent", kTraceparent);
    context.AddMetadata("tracestate", "vendor=1");
    EXPECT_TRUE(stub.Echo(context, {}).ok());
    middle_ends_->Await(1);
    server_ends_->Await(1);
    EXPECT_EQ(Sent(context, "tracestate"), "vendor=1;");
    return Sent(context, "traceparent");
  }
  const std::shared_ptr<Ends> middle_ends_ = std::make_shared<Ends>();
  const std::shared_ptr<RecordingTracer> middle_tracer_ = std::make_shared<RecordingTracer>(3);
};

TEST_F(ChainTest, AHandlersCallJoinsItsTrace) {
  const std::string arrived = Ask({MakeClientTracing(client_tracer_)});
  ASSERT_EQ(middle_tracer_->spans().size(), 1u);
  ASSERT_EQ(client_tracer_->spans().size(), 1u);
  const RecordedSpan middle = middle_tracer_->spans()[0];
  const RecordedSpan outgoing = client_tracer_->spans()[0];
  const RecordedSpan last = server_tracer_->spans()[0];
  EXPECT_EQ(FormatTraceparent(middle.parent), kTraceparent);
  EXPECT_EQ(outgoing.parent, middle.context);
  EXPECT_EQ(last.parent, outgoing.context);
  EXPECT_EQ(last.context.trace_id, middle.parent.trace_id);
  EXPECT_EQ(arrived, FormatTraceparent(outgoing.context) + ";");
}

TEST_F(ChainTest, AlsoWithoutAnInterceptorAtTheChannel) {
  const std::string arrived = Ask({});
  EXPECT_EQ(arrived, FormatTraceparent(middle_tracer_->spans()[0].context) + ";");
  EXPECT_EQ(server_tracer_->spans()[0].parent, middle_tracer_->spans()[0].context);
}

TEST_F(ChainTest, AlsoWhereTheMiddleDoesNotRecord) {
  middle_tracer_->Stop();
  EXPECT_EQ(Ask({}), std::string(kTraceparent) + ";");
}

}  // namespace
}  // namespace pagewire::admin
