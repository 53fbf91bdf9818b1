// The line that a failed call leaves in the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/failure_log.h>
#include <pagewire/tracing.h>

#include <string>
#include <vector>

#include "admin/log_lines.h"
#include "admin/watched_calls.h"

namespace pagewire::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kTraceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class FailureLogTest : public WatchedCallsTest {
 protected:
  // Each look at the clock takes 1.5 ms.
  FailureLogOptions Options() {
    return {.clock = [ticks = std::make_shared<std::atomic<int>>(0)] {
      return absl::Microseconds(1500) * ticks->fetch_add(1);
    }};
  }
  void SetUp() override { Serve({MakeServerFailureLog(Options())}, {MakeClientFailureLog(Options())}); }

  static test::BlobRequest Failing(absl::StatusCode code, const std::string& text) {
    test::BlobRequest request;
    request.set_code(static_cast<uint32_t>(code));
    request.set_text(text);
    return request;
  }

  testing::LogLines log_;
};

TEST_F(FailureLogTest, NothingOfACallThatEndsWell) {
  ClientContext context;
  ASSERT_TRUE(stub_->Echo(context, {}).ok());
  AwaitEnds(1);
  EXPECT_THAT(log_.Lines(), IsEmpty());
}

TEST_F(FailureLogTest, OneLineAtEachEnd) {
  ClientContext context;
  context.AddMetadata("authorization", "very-secret");
  context.AddMetadata("traceparent", kTraceparent);
  const test::BlobRequest request = Failing(absl::StatusCode::kNotFound, "no such \"blob\"");
  const auto payload = Payload::FromCord(absl::Cord(std::string(5000, 'x')));
  ASSERT_EQ(stub_->Put(context, request, payload).status().code(), absl::StatusCode::kNotFound);
  AwaitEnds(1);
  const std::string size = std::to_string(request.ByteSizeLong());
  const std::string trace = std::string(" traceparent=") + kTraceparent;
  ASSERT_EQ(log_.Lines().size(), 2u);
  EXPECT_THAT(
      log_.Lines(),
      UnorderedElementsAre(
          "warning: call failed: side=client method=/pagewire.test.Blob/Put peer=" + target() +
              " code=NOT_FOUND message=\"no such \\\"blob\\\"\" duration_ms=1.500 sent_messages=1 sent_message_bytes=" +
              size + " sent_payload_bytes=5000 received_messages=0 received_message_bytes=0 received_payload_bytes=0" +
              trace,
          MatchesRegex("warning: call failed: side=server method=/pagewire.test.Blob/Put "
                       "peer=ipv4:127.0.0.1:[0-9]+ code=NOT_FOUND message=\"no such \\\\\"blob\\\\\"\" "
                       "duration_ms=1.500 sent_messages=0 sent_message_bytes=0 sent_payload_bytes=0 "
                       "received_messages=1 received_message_bytes=" +
                       size + " received_payload_bytes=5000" + trace)));
}

TEST_F(FailureLogTest, SecretsStayOut) {
  ClientContext context;
  context.AddMetadata("authorization", "very-secret");
  context.AddMetadata("traceparent", "very-secret");
  ASSERT_FALSE(stub_->Echo(context, Failing(absl::StatusCode::kInternal, "x")).ok());
  AwaitEnds(1);
  for (const std::string& line : log_.Lines()) {
    EXPECT_THAT(line, Not(HasSubstr("secret")));
    EXPECT_THAT(line, Not(HasSubstr("traceparent")));
  }
}

TEST_F(FailureLogTest, AMessageCannotForgeALine) {
  ClientContext context;
  ASSERT_FALSE(stub_->Echo(context, Failing(absl::StatusCode::kAborted, "a\nwarning: \x1b[31m forged\x7f")).ok());
  AwaitEnds(1);
  ASSERT_EQ(log_.Lines().size(), 2u);
  for (const std::string& line : log_.Lines()) {
    EXPECT_THAT(line, HasSubstr(" message=\"a\\nwarning: \\033[31m forged\\177\" "));
  }
}

TEST_F(FailureLogTest, ALongMessageIsCut) {
  ClientContext context;
  ASSERT_FALSE(stub_->Echo(context, Failing(absl::StatusCode::kAborted, std::string(2000, 'x'))).ok());
  AwaitEnds(1);
  for (const std::string& line : log_.Lines()) EXPECT_THAT(line, HasSubstr("=\"" + std::string(1024, 'x') + "\" "));
}

TEST_F(FailureLogTest, WithoutAServer) {
  server_.reset();
  ClientContext context;
  ASSERT_EQ(stub_->Echo(context, {}).status().code(), absl::StatusCode::kUnavailable);
  client_ends_->Await(1);
  EXPECT_THAT(log_.Lines(),
              ElementsAre(MatchesRegex("warning: call failed: side=client method=/pagewire.test.Blob/Echo "
                                       "code=UNAVAILABLE message=.*")));
}

TEST_F(FailureLogTest, AMethodNameThatIsNoWord) {
  ChannelOptions options;
  options.interceptors = {std::make_shared<CountsEnds<ClientInterceptor, ClientContext>>(client_ends_),
                          MakeClientFailureLog(Options())};
  GenericStub generic(CreateInProcessChannel(*server_, options));
  ClientContext context;
  EXPECT_EQ(generic.Call(context, "/a b/c\n", GenericMessage()).status().code(), absl::StatusCode::kUnimplemented);
  client_ends_->Await(1);
  EXPECT_THAT(log_.Lines(), ElementsAre(HasSubstr(" method=\"/a b/c\\n\" ")));
}

}  // namespace
}  // namespace pagewire::admin
