// Where call credentials go, and where they do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/latch.h"
#include "base/mutex.h"
#include "security/secure_server.h"

namespace pagewire::testing {
namespace {

using test::Blob;
using test::BlobReply;
using test::BlobRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kEcho[] = "/pagewire.test.Blob/Echo";

// Answers as the test says, and remembers what it was asked.
class Asked final : public CallCredentials {
 public:
  explicit Asked(absl::StatusOr<Metadata> answer) : answer_(std::move(answer)) {}
  absl::StatusOr<Metadata> GetMetadata(const CallCredentialsRequest& request) override {
    questions.push_back(std::string(request.service) + " " + std::string(request.method) + " " +
                        std::string(request.server_name));
    return answer_;
  }
  std::vector<std::string> questions;

 private:
  const absl::StatusOr<Metadata> answer_;
};

// Remembers which metadata calls came with.
class Seen final : public ServerInterceptor {
 public:
  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method&, ServerContext& context) override {
    base::MutexLock lock(mutex_);
    calls_.push_back(context.client_metadata());
    return nullptr;
  }
  std::vector<Metadata> calls() {
    base::MutexLock lock(mutex_);
    return calls_;
  }

 private:
  base::Mutex mutex_;
  std::vector<Metadata> calls_ ABSL_GUARDED_BY(mutex_);
};

class CallCredentialsTest : public ::testing::Test {
 protected:
  Blob::Stub StubOverTls(std::shared_ptr<CallCredentials> credentials) {
    options_.call_credentials = std::move(credentials);
    return Blob::Stub(CreateCustomChannel(server_.tls_target(), server_.Credentials(), options_));
  }

  // Of a call whose channel has these credentials.
  absl::Status Call(Blob::Stub stub) {
    ClientContext context;
    const absl::Status status = stub.Echo(context, BlobRequest()).status();
    not_started_ = context.not_started();
    return status;
  }

  const std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
  SecureServer server_{{seen_}};
  ChannelOptions options_;
  bool not_started_ = false;
};

TEST_F(CallCredentialsTest, ATokenGoesWithEveryKindOfCall) {
  options_.call_credentials = AccessTokenCallCredentials("abc.def");
  const auto channel = CreateCustomChannel(server_.tls_target(), server_.Credentials(), options_);
  Blob::Stub stub(channel);
  ClientContext blocking;
  EXPECT_TRUE(stub.Echo(blocking, BlobRequest()).ok());

  ClientContext with_callback;
  Latch done;
  stub.Callback().Echo(with_callback, BlobRequest(), [&](const absl::StatusOr<BlobReply>& reply) {
    EXPECT_TRUE(reply.ok());
    done.CountDown();
  });
  done.Wait();

  ClientContext streaming;
  GenericStub generic(channel);
  const auto stream = generic.StartStream(streaming, kEcho);
  EXPECT_TRUE(stream->Write(GenericMessage()).ok());
  EXPECT_TRUE(stream->WritesDone().ok());
  while (stream->Read().value_or(std::nullopt).has_value()) {
  }
  EXPECT_TRUE(stream->Finish().ok());

  const auto token = ElementsAre(Pair("authorization", "Bearer abc.def"));
  EXPECT_THAT(seen_->calls(), ElementsAre(token, token, token));
}

TEST_F(CallCredentialsTest, ThoseOfTheCallComeAfterTheChannels) {
  Blob::Stub stub = StubOverTls(std::make_shared<Asked>(Metadata{{"a", "channel"}, {"b", "1"}}));
  ClientContext context;
  context.AddMetadata("a", "caller");
  context.set_credentials(std::make_shared<Asked>(Metadata{{"a", "call"}, {"c", "2"}}));
  ASSERT_TRUE(stub.Echo(context, BlobRequest()).ok());
  EXPECT_THAT(seen_->calls(), ElementsAre(ElementsAre(Pair("a", "caller"), Pair("a", "channel"), Pair("a", "call"),
                                                      Pair("b", "1"), Pair("c", "2"))));
}

TEST_F(CallCredentialsTest, TheyAreToldServiceMethodAndServer) {
  const auto asked = std::make_shared<Asked>(Metadata());
  ASSERT_TRUE(Call(StubOverTls(asked)).ok());
  EXPECT_THAT(asked->questions, ElementsAre("pagewire.test.Blob /pagewire.test.Blob/Echo server.test"));
}

TEST_F(CallCredentialsTest, TheServersNameIsTheTargetsUnlessItIsAnAddress) {
  const auto asked = std::make_shared<Asked>(absl::UnavailableError("only asked"));
  options_.call_credentials = asked;
  TlsChannelOptions trusting;
  trusting.ca_file = WriteFile(server_.authority().pem());
  for (const char* target : {"dns:///store.example:7070", "ipv4:127.0.0.1:7070"}) {
    EXPECT_FALSE(Call(Blob::Stub(CreateCustomChannel(target, TlsChannelCredentials(trusting).value(), options_))).ok());
  }
  EXPECT_THAT(asked->questions, ElementsAre("pagewire.test.Blob /pagewire.test.Blob/Echo store.example",
                                            "pagewire.test.Blob /pagewire.test.Blob/Echo "));
}

TEST_F(CallCredentialsTest, RefusedOnPlainConnections) {
  const auto asked = std::make_shared<Asked>(Metadata{{"a", "1"}});
  options_.call_credentials = asked;
  for (const std::string& target : {server_.plain_target(), server_.unix_target()}) {
    SCOPED_TRACE(target);
    const absl::Status status = Call(Blob::Stub(CreateCustomChannel(target, InsecureChannelCredentials(), options_)));
    EXPECT_EQ(status, absl::UnauthenticatedError(
                          "/pagewire.test.Blob/Echo: call credentials are not sent over a connection without TLS; use "
                          "TlsChannelCredentials, or set ChannelOptions::allow_call_credentials_on_plain_connections "
                          "where everybody on the way may read them"));
    EXPECT_TRUE(not_started_);
  }
  EXPECT_THAT(asked->questions, IsEmpty());
  EXPECT_THAT(seen_->calls(), IsEmpty());
}

TEST_F(CallCredentialsTest, ThoseOfOneCallAreRefusedAndOthersGoOn) {
  Blob::Stub stub(CreateChannel(server_.plain_target(), InsecureChannelCredentials()));
  ClientContext context;
  context.set_credentials(AccessTokenCallCredentials("token"));
  EXPECT_EQ(stub.Echo(context, BlobRequest()).status().code(), absl::StatusCode::kUnauthenticated);
  ClientContext without;
  EXPECT_TRUE(stub.Echo(without, BlobRequest()).ok());
}

TEST_F(CallCredentialsTest, SentOverPlainConnectionsIfAskedFor) {
  options_.call_credentials = AccessTokenCallCredentials("token");
  options_.allow_call_credentials_on_plain_connections = true;
  for (const std::string& target : {server_.plain_target(), server_.unix_target()}) {
    EXPECT_TRUE(Call(Blob::Stub(CreateCustomChannel(target, InsecureChannelCredentials(), options_))).ok());
  }
  const auto token = ElementsAre(Pair("authorization", "Bearer token"));
  EXPECT_THAT(seen_->calls(), ElementsAre(token, token));
}

TEST_F(CallCredentialsTest, SentWithinTheProcess) {
  options_.call_credentials = AccessTokenCallCredentials("token");
  EXPECT_TRUE(Call(Blob::Stub(CreateInProcessChannel(server_.server(), options_))).ok());
  EXPECT_THAT(seen_->calls(), ElementsAre(ElementsAre(Pair("authorization", "Bearer token"))));
}

TEST_F(CallCredentialsTest, AServerThatIsNotTheOneGetsNothing) {
  TlsChannelOptions wrong;
  wrong.ca_file = WriteFile(Authority("another").pem());
  wrong.server_name = "server.test";
  options_.call_credentials = AccessTokenCallCredentials("token");
  const absl::Status status =
      Call(Blob::Stub(CreateCustomChannel(server_.tls_target(), TlsChannelCredentials(wrong).value(), options_)));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(not_started_) << "nothing was sent that the server could have run";
  EXPECT_THAT(seen_->calls(), IsEmpty());
}

TEST_F(CallCredentialsTest, TheirErrorEndsTheCall) {
  for (const auto code : {absl::StatusCode::kUnavailable, absl::StatusCode::kUnauthenticated,
                          absl::StatusCode::kPermissionDenied, absl::StatusCode::kInternal}) {
    const auto asked = std::make_shared<Asked>(absl::Status(code, "the token server is gone"));
    EXPECT_EQ(Call(StubOverTls(asked)),
              absl::Status(code, "/pagewire.test.Blob/Echo: call credentials: the token server is gone"));
    EXPECT_TRUE(not_started_);
  }
  EXPECT_THAT(seen_->calls(), IsEmpty());
}

TEST_F(CallCredentialsTest, TheirErrorCannotPassForTheHandlers) {
  for (const auto code : {absl::StatusCode::kInvalidArgument, absl::StatusCode::kNotFound,
                          absl::StatusCode::kAlreadyExists, absl::StatusCode::kFailedPrecondition,
                          absl::StatusCode::kAborted, absl::StatusCode::kOutOfRange, absl::StatusCode::kDataLoss}) {
    EXPECT_EQ(Call(StubOverTls(std::make_shared<Asked>(absl::Status(code, "no such key")))),
              absl::InternalError("/pagewire.test.Blob/Echo: call credentials failed with " +
                                  absl::StatusCodeToString(code) + ", which is not theirs to use: no such key"));
  }
}

TEST_F(CallCredentialsTest, PairsThatAreNotAllowedAreNotShown) {
  for (const Metadata& wrong : {Metadata{{"UPPER", "very-secret"}}, Metadata{{"pagewire-x", "very-secret"}},
                                Metadata{{"a", "very-secret\n"}}, Metadata{{"fine", "1"}, {"", "very-secret"}}}) {
    const absl::Status status = Call(StubOverTls(std::make_shared<Asked>(wrong)));
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(status.message()), HasSubstr("call credentials failed with INVALID_ARGUMENT"));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("very-secret")));
  }
  EXPECT_THAT(seen_->calls(), IsEmpty());
}

TEST_F(CallCredentialsTest, TokensThatCannotBeSent) {
  EXPECT_EQ(Call(StubOverTls(AccessTokenCallCredentials(""))),
            absl::UnauthenticatedError("/pagewire.test.Blob/Echo: call credentials: the access token is empty"));
  for (const char* token : {"abc\n", "a c", "\xc3\xa4"}) {
    const absl::Status status = Call(StubOverTls(AccessTokenCallCredentials(token)));
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_THAT(std::string(status.message()), HasSubstr("has characters other than printable ASCII without blanks"));
  }
}

TEST_F(CallCredentialsTest, TheyCountAsMetadata) {
  const absl::Status status = Call(StubOverTls(AccessTokenCallCredentials(std::string(20'000, 'x'))));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("raise ChannelOptions::max_metadata_bytes"));
}

// A client's interceptors are asked before; what they watch ends with a refusal.
TEST_F(CallCredentialsTest, InterceptorsDoNotSeeThem) {
  struct Interceptor final : ClientInterceptor {
    absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method&, ClientContext& context) override {
      struct Observer final : CallObserver {
        explicit Observer(Interceptor& interceptor) : owner(interceptor) {}
        void OnEnd(const absl::Status& status) override {
          owner.code = status.code();
          owner.ended.CountDown();
        }
        Interceptor& owner;
      };
      metadata = context.metadata();
      return std::make_unique<Observer>(*this);
    }
    Metadata metadata;
    std::atomic<absl::StatusCode> code = absl::StatusCode::kOk;
    Latch ended;
  };
  const auto interceptor = std::make_shared<Interceptor>();
  options_.interceptors.push_back(interceptor);
  EXPECT_FALSE(Call(StubOverTls(std::make_shared<Asked>(absl::UnavailableError("later")))).ok());
  EXPECT_THAT(interceptor->metadata, IsEmpty());
  interceptor->ended.Wait();
  EXPECT_EQ(interceptor->code, absl::StatusCode::kUnavailable);
}

// A handler that makes calls does not hand on what it was shown.
TEST_F(CallCredentialsTest, ServersDoNotHandThemOn) {
  class Relay final : public Blob::Service {
   public:
    explicit Relay(std::shared_ptr<Channel> next) : next_(std::move(next)) {}
    absl::StatusOr<BlobReply> Echo(ServerContext& context, const BlobRequest& request) override {
      return next_.Echo(*ClientContext::FromServerContext(context), request);
    }

   private:
    Blob::Stub next_;
  };
  Relay relay(CreateInProcessChannel(server_.server()));
  ServerBuilder builder;
  builder.RegisterService(&relay);
  const std::unique_ptr<Server> relaying = builder.BuildAndStart().value();
  options_.call_credentials = AccessTokenCallCredentials("token");
  EXPECT_TRUE(Call(Blob::Stub(CreateInProcessChannel(*relaying, options_))).ok());
  EXPECT_THAT(seen_->calls(), ElementsAre(IsEmpty()));
}

}  // namespace
}  // namespace pagewire::testing
