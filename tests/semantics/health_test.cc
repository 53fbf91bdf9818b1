// grpc.health.v1 as a client sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/health.h>
#include <pagewire/pagewire.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "grpc/health/v1/health.pagewire.h"

namespace pagewire::semantics {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ::testing::HasSubstr;

HealthCheckRequest Of(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request;
}

class HealthTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServerBuilder builder;
    builder.RegisterService(health_.service());
    absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = std::make_unique<Health::Stub>(CreateInProcessChannel(*server_));
  }

  // -1: not found.
  int Check(const std::string& service) {
    ClientContext context;
    absl::StatusOr<HealthCheckResponse> response = stub_->Check(context, Of(service));
    if (response.ok()) return response->status();
    EXPECT_EQ(response.status().code(), absl::StatusCode::kNotFound) << response.status();
    return -1;
  }

  static int Next(ClientReader<HealthCheckResponse>& reader) {
    const absl::StatusOr<std::optional<HealthCheckResponse>> response = reader.Read();
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() && response->has_value() ? (*response)->status() : -1;
  }

  HealthCheckService health_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Health::Stub> stub_;
};

TEST_F(HealthTest, CheckSaysWhatWasSet) {
  EXPECT_EQ(Check(""), HealthCheckResponse::SERVING);
  EXPECT_EQ(Check("blob.BlobStore"), -1);
  health_.SetServingStatus("blob.BlobStore", true);
  EXPECT_EQ(Check("blob.BlobStore"), HealthCheckResponse::SERVING);
  health_.SetServingStatus("blob.BlobStore", false);
  EXPECT_EQ(Check("blob.BlobStore"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Check(""), HealthCheckResponse::SERVING);
  health_.SetServingStatus(false);
  EXPECT_EQ(Check(""), HealthCheckResponse::NOT_SERVING);
  health_.SetServingStatus(true);
  EXPECT_EQ(Check("blob.BlobStore"), HealthCheckResponse::SERVING);
}

TEST_F(HealthTest, AfterShutdownNothingServesAnyMore) {
  health_.SetServingStatus("a", true);
  health_.Shutdown();
  health_.SetServingStatus("a", true);
  health_.SetServingStatus("b", true);
  EXPECT_EQ(Check("a"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Check(""), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Check("b"), -1);
}

TEST_F(HealthTest, WatchTellsTheStatusAndItsChanges) {
  ClientContext context;
  const auto reader = stub_->Watch(context, Of("a"));
  EXPECT_EQ(Next(*reader), HealthCheckResponse::SERVICE_UNKNOWN);
  health_.SetServingStatus("other", true);
  health_.SetServingStatus("a", true);
  EXPECT_EQ(Next(*reader), HealthCheckResponse::SERVING);
  health_.SetServingStatus("a", true);  // no change
  health_.SetServingStatus("a", false);
  EXPECT_EQ(Next(*reader), HealthCheckResponse::NOT_SERVING);
  context.TryCancel();
  EXPECT_EQ(reader->Finish().code(), absl::StatusCode::kCancelled);
}

TEST_F(HealthTest, AWatcherThatDoesNotReadLearnsTheLatest) {
  ClientContext context;
  const auto reader = stub_->Watch(context, Of("a"));
  for (int i = 0; i < 100'000; ++i) health_.SetServingStatus("a", i % 2 == 0);
  health_.Shutdown();
  health_.SetServingStatus("a", true);  // too late: the last answer stays NOT_SERVING
  // Nothing tells which answer is the last, so it is the one after which none has come for a while.
  std::atomic<int> last = -1;
  std::atomic<int> answers = 0;
  std::jthread watching([&] {
    for (;;) {
      const absl::StatusOr<std::optional<HealthCheckResponse>> response = reader->Read();
      if (!response.ok() || !response->has_value()) return;
      last = (*response)->status();
      ++answers;
    }
  });
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (int before = -1; before != answers || last != HealthCheckResponse::NOT_SERVING;) {
    if (std::chrono::steady_clock::now() > give_up) {
      ADD_FAILURE() << "after " << answers << " answers, the last of them " << last;
      break;
    }
    before = answers;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  context.TryCancel();
}

TEST_F(HealthTest, ManyWatchersComeAndGo) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      const std::string service = i % 2 == 0 ? "even" : "odd";
      for (int n = 0; n < 100; ++n) {
        ClientContext context;
        const auto reader = stub_->Watch(context, Of(service));
        Next(*reader);
        if (n % 3 == 0) context.TryCancel();
      }
    });
  }
  for (int n = 0; n < 1000; ++n) health_.SetServingStatus(n % 4 < 2 ? "even" : "odd", n % 2 == 0);
}

TEST_F(HealthTest, AServerThatShutsDownEndsWatchers) {
  ClientContext context;
  const auto reader = stub_->Watch(context, Of(""));
  EXPECT_EQ(Next(*reader), HealthCheckResponse::SERVING);
  server_->Shutdown();
  EXPECT_EQ(reader->Finish().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pagewire::semantics
