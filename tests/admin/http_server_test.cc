// The admin server's HTTP, attacked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "admin/http_server.h"
#include "admin/raw_http.h"
#include "base/latch.h"
#include "base/own_host.h"

namespace pagewire::admin {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  void Serve(std::map<std::string, HttpPage> pages, const HttpLimits& limits = {}) {
    auto server = HttpServer::Start("127.0.0.1:0", std::move(pages), limits);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    port_ = server_->address().port();
  }
  void SetUp() override {
    Serve({{"/page", [] { return HttpAnswer{.body = "content\n"}; }}});
  }
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

TEST_F(HttpServerTest, APage) {
  const std::string answer = Exchange(port_, "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 8\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\ncontent\n"));
}

TEST_F(HttpServerTest, OnlyItsHead) {
  const std::string answer = Exchange(port_, "HEAD /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, AQueryIsIgnored) { EXPECT_EQ(Get(port_, "/page?x=1"), "content\n"); }

TEST_F(HttpServerTest, AnotherPath) {
  for (const std::string path : {"/", "/pages", "/page/", "/../page", "/page%00"}) {
    EXPECT_THAT(Exchange(port_, "GET " + path + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 Not Found\r\n")) << path;
  }
}

TEST_F(HttpServerTest, OnlyGetAndHead) {
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const std::string answer = Exchange(port_, method + " /page HTTP/1.1\r\nContent-Length: 2\r\n\r\nxx");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n")) << method;
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  }
}

TEST_F(HttpServerTest, ABodyIsNotWaitedFor) {
  const std::string head = "POST /page HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\n";
  EXPECT_THAT(Exchange(port_, head), StartsWith("HTTP/1.1 405 "));
  const std::string chunked = "POST /page HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n";
  EXPECT_THAT(Exchange(port_, chunked), StartsWith("HTTP/1.1 405 "));
}

TEST_F(HttpServerTest, WhatIsNotHttp) {
  for (const std::string_view request : {"\r\n\r\n", "GET\r\n\r\n", "nonsense\r\n\r\n", "GET /page HTTP/9.9\r\n\r\n"}) {
    const base::UniqueFd fd = ConnectTo(port_);
    SendAll(fd.get(), request);
    shutdown(fd.get(), SHUT_WR);
    EXPECT_THAT(ReadToEnd(fd.get()), Not(HasSubstr("content"))) << request;
  }
  EXPECT_EQ(Get(port_, "/page"), "content\n") << "others are served";
}

TEST_F(HttpServerTest, EveryBeginningOfARequest) {
  const std::string request = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (size_t length = 0; length < request.size(); ++length) {
    const base::UniqueFd fd = ConnectTo(port_);
    SendAll(fd.get(), request.substr(0, length));
    shutdown(fd.get(), SHUT_WR);
    EXPECT_THAT(ReadToEnd(fd.get()), Not(HasSubstr("content"))) << length;
  }
}

TEST_F(HttpServerTest, ByteByByte) {
  const base::UniqueFd fd = ConnectTo(port_);
  for (const char c : std::string_view("GET /page HTTP/1.1\r\n\r\n")) SendAll(fd.get(), {&c, 1});
  EXPECT_THAT(ReadToEnd(fd.get()), EndsWith("content\n"));
}

TEST_F(HttpServerTest, ARequestWithoutEnd) {
  const base::UniqueFd fd = ConnectTo(port_);
  SendAll(fd.get(), "GET /page HTTP/1.1\r\n");
  for (int i = 0; i < 2000; ++i) SendAll(fd.get(), "Header: " + std::string(100, 'x') + "\r\n");
  SendAll(fd.get(), "\r\n");
  EXPECT_THAT(ReadToEnd(fd.get()), Not(HasSubstr("content"))) << "more than 16 KiB";
  EXPECT_EQ(Get(port_, "/page"), "content\n");
}

TEST_F(HttpServerTest, RangesAreNotServed) {
  std::string ranges = "bytes=0-1";
  for (int i = 0; i < 1000; ++i) ranges += ",0-1";
  const std::string answer = Exchange(port_, "GET /page HTTP/1.1\r\nRange: " + ranges + "\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\ncontent\n"));
}

TEST_F(HttpServerTest, AClientThatSendsTooSlowlyIsLeft) {
  server_.reset();
  Serve({{"/page", [] { return HttpAnswer{.body = "content\n"}; }}}, {.time = std::chrono::milliseconds(1)});
  const base::UniqueFd fd = ConnectTo(port_);
  SendAll(fd.get(), "GET /page");
  EXPECT_EQ(ReadToEnd(fd.get()), "");
}

TEST_F(HttpServerTest, AClientThatDoesNotReadDoesNotKeepItFromStopping) {
  server_.reset();
  testing::Latch asked;
  Serve({{"/page",
          [&] {
            asked.CountDown();
            return HttpAnswer{.body = std::string(64 << 20, 'x')};
          }}},
        {.time = std::chrono::hours(1)});
  const base::UniqueFd fd = ConnectTo(port_);
  SendAll(fd.get(), "GET /page HTTP/1.1\r\n\r\n");
  asked.Wait();
  server_.reset();
}

TEST_F(HttpServerTest, IdleClientsDoNotKeepItFromStopping) {
  server_.reset();
  Serve({}, {.time = std::chrono::hours(1)});
  std::vector<base::UniqueFd> idle;
  for (int i = 0; i < 10; ++i) idle.push_back(ConnectTo(port_));
  for (const auto& fd : idle) SendAll(fd.get(), "GET /page HTTP/1.1\r\n");
  server_.reset();
  for (const auto& fd : idle) EXPECT_THAT(ReadToEnd(fd.get()), Not(HasSubstr("200 OK")));
}

TEST_F(HttpServerTest, APageThatThrowsIsAnError) {
  server_.reset();
  Serve({{"/page", []() -> HttpAnswer { throw std::runtime_error("thrown by the page"); }}});
  EXPECT_THAT(Exchange(port_, "GET /page HTTP/1.1\r\n\r\n"), Not(HasSubstr("200 OK")));
  EXPECT_THAT(Exchange(port_, "GET /page HTTP/1.1\r\n\r\n"), Not(HasSubstr("200 OK"))) << "still there";
}

TEST_F(HttpServerTest, DescriptorsAboveSelectsLimit) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max <= 1200) GTEST_SKIP() << "needs more than 1200 descriptors (ulimit -n)";
  std::vector<base::UniqueFd> others;
  while (others.empty() || others.back().get() < 1100) others.emplace_back(dup(STDERR_FILENO));
  EXPECT_EQ(Get(port_, "/page"), "content\n");
}

TEST_F(HttpServerTest, ManyClientsAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 50; ++n) EXPECT_EQ(Get(port_, "/page"), "content\n");
    });
  }
}

TEST_F(HttpServerTest, SigpipeStaysAsItWas) {
  struct sigaction action = {};
  ASSERT_EQ(sigaction(SIGPIPE, nullptr, &action), 0);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

TEST_F(HttpServerTest, ThePortIsFreeAfterwards) {
  const std::string host = pagewire::testing::OwnHost() + ":";  // where nobody else takes it
  auto own = HttpServer::Start(host + "0", {});
  ASSERT_TRUE(own.ok()) << own.status();
  const int port = (*own)->address().port();
  own->reset();
  const auto again = HttpServer::Start(host + std::to_string(port), {});
  EXPECT_TRUE(again.ok()) << again.status();
}

TEST_F(HttpServerTest, AddressesThatItCannotListenOn) {
  const auto status = [](const std::string& address) { return HttpServer::Start(address, {}).status(); };
  const std::string used = "127.0.0.1:" + std::to_string(port_);
  EXPECT_EQ(status(used), absl::UnavailableError("the admin server cannot listen on ipv4:" + used +
                                                 ": Address already in use (EADDRINUSE)"));
  EXPECT_EQ(status("unix:/tmp/x"),
            absl::InvalidArgumentError("the admin server listens on TCP only, not on \"unix:/tmp/x\"; use "
                                       "\"127.0.0.1:port\""));
  EXPECT_EQ(status("127.0.0.1").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status("127.0.0.1:70000").code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace pagewire::admin
