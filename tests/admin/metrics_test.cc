// What calls count, and how it is read over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/admin.h>
#include <pagewire/held_budget.h>
#include <pagewire/metrics.h>
#include <pagewire/quarantine.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "admin/log_lines.h"
#include "admin/raw_http.h"
#include "admin/watched_calls.h"

namespace pagewire::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

constexpr char kPut[] = "method=\"/pagewire.test.Blob/Put\"";

class MetricsTest : public WatchedCallsTest {
 protected:
  // Each look at the clock takes 10 ms.
  CallMetricsOptions Options() {
    return {.duration_bounds = {0.005, 0.01, 1}, .clock = [ticks = std::make_shared<std::atomic<int>>(0)] {
              return absl::Milliseconds(10) * ticks->fetch_add(1);
            }};
  }
  void SetUp() override {
    ASSERT_EQ(AddProcessMetrics(*registry_), absl::OkStatus());
    auto server_metrics = MakeServerMetrics(registry_, Options());
    auto client_metrics = MakeClientMetrics(registry_, Options());
    ASSERT_TRUE(server_metrics.ok()) << server_metrics.status();
    ASSERT_TRUE(client_metrics.ok()) << client_metrics.status();
    Serve({*server_metrics}, {*client_metrics});
    auto admin = AdminServer::Start({.metrics = registry_});
    ASSERT_TRUE(admin.ok()) << admin.status();
    admin_ = *std::move(admin);
  }

  // Lines without comments in which `part` occurs.
  std::vector<std::string> Scrape(const std::string& part) {
    std::istringstream text(Get(admin_->port(), "/metrics"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) {
      if (line[0] != '#' && line.find(part) != line.npos) lines.push_back(line);
    }
    return lines;
  }

  const std::shared_ptr<MetricsRegistry> registry_ = std::make_shared<MetricsRegistry>();
  std::unique_ptr<AdminServer> admin_;
};

TEST_F(MetricsTest, EveryLineOfACall) {
  test::BlobRequest request;
  request.set_name("name");
  ClientContext context;
  const absl::StatusOr<test::BlobReply> reply = stub_->Put(context, request, test::MakePayload(12'288, 1));
  ASSERT_TRUE(reply.ok()) << reply.status();
  AwaitEnds(1);
  const std::string request_bytes = std::to_string(request.ByteSizeLong());
  const std::string reply_bytes = std::to_string(reply->ByteSizeLong());
  const auto without_reasons = [](std::vector<std::string> lines) {
    std::erase_if(lines, [](const std::string& line) { return line.find("reason=") != line.npos; });
    return lines;
  };
  const std::string put = kPut;
  EXPECT_THAT(
      without_reasons(Scrape("pagewire_client_")),
      ElementsAre("pagewire_client_call_duration_seconds_bucket{" + put + ",code=\"OK\",le=\"0.005\"} 0",
                  "pagewire_client_call_duration_seconds_bucket{" + put + ",code=\"OK\",le=\"0.01\"} 1",
                  "pagewire_client_call_duration_seconds_bucket{" + put + ",code=\"OK\",le=\"1\"} 1",
                  "pagewire_client_call_duration_seconds_bucket{" + put + ",code=\"OK\",le=\"+Inf\"} 1",
                  "pagewire_client_call_duration_seconds_sum{" + put + ",code=\"OK\"} 0.01",
                  "pagewire_client_call_duration_seconds_count{" + put + ",code=\"OK\"} 1",
                  "pagewire_client_calls_ended_total{" + put + ",code=\"OK\"} 1",
                  "pagewire_client_calls_in_flight{" + put + "} 0",
                  "pagewire_client_calls_started_total{" + put + "} 1",
                  "pagewire_client_received_message_bytes_total{" + put + "} " + reply_bytes,
                  "pagewire_client_received_messages_total{" + put + "} 1",
                  "pagewire_client_received_payload_bytes_total{" + put + "} 0",
                  "pagewire_client_sent_mapped_bytes_total{" + put + "} 0",
                  "pagewire_client_sent_message_bytes_total{" + put + "} " + request_bytes,
                  "pagewire_client_sent_messages_total{" + put + "} 1",
                  "pagewire_client_sent_payload_bytes_total{" + put + "} 12288",
                  "pagewire_client_sent_payloads_total{" + put + ",send_path=\"copy\",receive_path=\"copy\"} 1"));
  EXPECT_THAT(without_reasons(Scrape("pagewire_server_")),
              ElementsAre("pagewire_server_call_duration_seconds_bucket{" + put + ",code=\"OK\",le=\"0.005\"} 0",
                          "pagewire_server_call_duration_seconds_bucket{" + put + ",code=\"OK\",le=\"0.01\"} 1",
                          "pagewire_server_call_duration_seconds_bucket{" + put + ",code=\"OK\",le=\"1\"} 1",
                          "pagewire_server_call_duration_seconds_bucket{" + put + ",code=\"OK\",le=\"+Inf\"} 1",
                          "pagewire_server_call_duration_seconds_sum{" + put + ",code=\"OK\"} 0.01",
                          "pagewire_server_call_duration_seconds_count{" + put + ",code=\"OK\"} 1",
                          "pagewire_server_calls_ended_total{" + put + ",code=\"OK\"} 1",
                          "pagewire_server_calls_in_flight{" + put + "} 0",
                          "pagewire_server_calls_started_total{" + put + "} 1",
                          "pagewire_server_received_mapped_bytes_total{" + put + "} 0",
                          "pagewire_server_received_message_bytes_total{" + put + "} " + request_bytes,
                          "pagewire_server_received_messages_total{" + put + "} 1",
                          "pagewire_server_received_payload_bytes_total{" + put + "} 12288",
                          "pagewire_server_received_payloads_total{" + put + ",receive_path=\"copy\"} 1",
                          "pagewire_server_sent_message_bytes_total{" + put + "} " + reply_bytes,
                          "pagewire_server_sent_messages_total{" + put + "} 1",
                          "pagewire_server_sent_payload_bytes_total{" + put + "} 0"));
  EXPECT_THAT(Scrape("copied_bytes_total"),
              ElementsAre("pagewire_client_sent_copied_bytes_total{" + put + ",reason=\"forced\"} 12288",
                          "pagewire_client_sent_kernel_copied_bytes_total{" + put + ",reason=\"forced\"} 12288",
                          "pagewire_server_received_copied_bytes_total{" + put + ",reason=\"forced\"} 12288"));
}

TEST_F(MetricsTest, CodesAreToldApart) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kOk, absl::StatusCode::kNotFound, absl::StatusCode::kNotFound, absl::StatusCode::kDataLoss}) {
    test::BlobRequest request;
    request.set_code(static_cast<uint32_t>(code));
    ClientContext context;
    EXPECT_EQ(stub_->Echo(context, request).status().code(), code);
  }
  AwaitEnds(4);
  for (const std::string side : {"client", "server"}) {
    const std::string prefix = "pagewire_" + side + "_calls_ended_total{method=\"/pagewire.test.Blob/Echo\",code=";
    EXPECT_THAT(Scrape(prefix),
                ElementsAre(prefix + "\"DATA_LOSS\"} 1", prefix + "\"NOT_FOUND\"} 2", prefix + "\"OK\"} 1"));
  }
}

TEST_F(MetricsTest, CallsInFlight) {
  test::BlobRequest request;
  request.set_sleep_ms(absl::ToInt64Milliseconds(absl::Hours(1)));
  ClientContext context;
  testing::Latch done;
  stub_->Callback().Echo(context, request, [&](const auto&) { done.CountDown(); });
  EXPECT_THAT(Scrape("pagewire_client_calls_in_flight"),
              ElementsAre("pagewire_client_calls_in_flight{method=\"/pagewire.test.Blob/Echo\"} 1"));
  service_.Release();
  done.Wait();
  AwaitEnds(1);
  EXPECT_THAT(Scrape("calls_in_flight"),
              ElementsAre("pagewire_client_calls_in_flight{method=\"/pagewire.test.Blob/Echo\"} 0",
                          "pagewire_server_calls_in_flight{method=\"/pagewire.test.Blob/Echo\"} 0"));
}

TEST_F(MetricsTest, WhatTheProcessHolds) {
  test::BlobRequest request;
  request.set_size(100'000);
  ClientContext context;
  absl::StatusOr<WithPayload<test::BlobReply>> reply = stub_->Get(context, request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  AwaitEnds(1);
  EXPECT_GE(HeldBytes(), 100'000u);
  EXPECT_THAT(Scrape("pagewire_held_bytes"), ElementsAre("pagewire_held_bytes " + std::to_string(HeldBytes())));
  SetHeldBudget(1 << 30);
  EXPECT_THAT(Scrape("pagewire_held_budget_bytes"), ElementsAre("pagewire_held_budget_bytes 1073741824"));
  EXPECT_THAT(Scrape("pagewire_quarantined_bytes"), ElementsAre("pagewire_quarantined_bytes 0"));
}

TEST_F(MetricsTest, MethodsBeyondTheLimitAreOne) {
  ChannelOptions options;
  const auto metrics = MakeClientMetrics(registry_, Options());
  ASSERT_TRUE(metrics.ok());
  const auto ends = std::make_shared<Ends>();
  options.interceptors = {std::make_shared<CountsEnds<ClientInterceptor, ClientContext>>(ends), *metrics};
  GenericStub stub(CreateInProcessChannel(*server_, options));
  for (int i = 0; i < 1010; ++i) {
    ClientContext context;
    EXPECT_FALSE(stub.Call(context, "/no.Service/Method" + std::to_string(i), GenericMessage()).ok());
  }
  ends->Await(1010);
  EXPECT_EQ(Scrape("pagewire_client_calls_ended_total").size(), 1001u);
  EXPECT_THAT(Scrape("\"other\",code"), IsSupersetOf({"pagewire_client_calls_ended_total{method=\"other\",code="
                                                      "\"UNIMPLEMENTED\"} 10"}));
}

TEST_F(MetricsTest, OneRegistryForSeveralInterceptors) {
  EXPECT_TRUE(MakeClientMetrics(registry_, Options()).ok());
  CallMetricsOptions other = Options();
  other.duration_bounds = {1};
  EXPECT_EQ(MakeClientMetrics(registry_, other).status(),
            absl::AlreadyExistsError("metric \"pagewire_client_call_duration_seconds\": the registry has one of this "
                                     "name that is of another kind, or has other labels or bounds"));
  EXPECT_EQ(MakeServerMetrics(nullptr).status(), absl::InvalidArgumentError("metrics of calls: the registry is null"));
  EXPECT_EQ(AddProcessMetrics(*registry_).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(MetricsTest, TheContentTypeIsPrometheuss) {
  EXPECT_THAT(Exchange(admin_->port(), "GET /metrics HTTP/1.1\r\n\r\n"),
              HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
}

TEST(AdminServerTest, Health) {
  std::atomic<bool> healthy = true;
  auto admin = AdminServer::Start(
      {.health = [&] { return healthy ? absl::OkStatus() : absl::UnavailableError("the disk is \xff full"); }});
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_EQ(Get((*admin)->port(), "/healthz"), "ok\n");
  healthy = false;
  const std::string answer = Exchange((*admin)->port(), "GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nUNAVAILABLE: the disk is ? full\n"));
}

TEST(AdminServerTest, WithoutAnythingItIsHealthyAndHasNoMetrics) {
  const testing::LogLines log;
  auto admin = AdminServer::Start({});
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_EQ((*admin)->address(), "ipv4:127.0.0.1:" + std::to_string((*admin)->port()));
  EXPECT_EQ(Get((*admin)->port(), "/healthz"), "ok\n");
  EXPECT_THAT(Exchange((*admin)->port(), "GET /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(log.Lines(), IsEmpty());
}

TEST(AdminServerTest, OpenToOthersIsSaidInTheLog) {
  const testing::LogLines log;
  const auto admin = AdminServer::Start({.address = "0.0.0.0:0"});
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_THAT(log.Lines(), ElementsAre("warning: the admin server listens on " + (*admin)->address() +
                                       ": whoever reaches that address may read, without being asked who they are"));
}

}  // namespace
}  // namespace pagewire::admin
