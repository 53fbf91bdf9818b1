// Calls of the service of the integration tests, and waiting until all observers have heard of their ends.
#pragma once

#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/latch.h"
#include "base/mutex.h"
#include "integration/blob_service.h"

namespace pagewire::admin {

// Counts ends of calls.
class Ends {
 public:
  void Add() {
    base::MutexLock lock(mutex_);
    ++ends_;
    changed_.NotifyAll();
  }
  void Await(int ends) {
    base::MutexLock lock(mutex_);
    while (ends_ < ends) changed_.Wait(mutex_);
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  int ends_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The first interceptor is the last to be told of an end.
template <typename Base, typename Context>
class CountsEnds final : public Base {
 public:
  explicit CountsEnds(std::shared_ptr<Ends> ends) : ends_(std::move(ends)) {}
  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method&, Context&) override {
    class Observer final : public CallObserver {
     public:
      explicit Observer(std::shared_ptr<Ends> ends) : ends_(std::move(ends)) {}
      void OnEnd(const absl::Status&) override { ends_->Add(); }

     private:
      const std::shared_ptr<Ends> ends_;
    };
    return std::make_unique<Observer>(ends_);
  }

 private:
  const std::shared_ptr<Ends> ends_;
};

// A server on a port of its own and a channel to it, both copying.
class WatchedCallsTest : public ::testing::Test {
 protected:
  using Interceptors = std::vector<std::shared_ptr<ServerInterceptor>>;

  void Serve(const Interceptors& interceptors, std::vector<std::shared_ptr<ClientInterceptor>> client_interceptors) {
    ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port_).RegisterService(&service_);
    builder.SetSendPath(SendPath::kCopy).SetReceivePath(ReceivePath::kCopy);
    builder.AddInterceptor(std::make_shared<CountsEnds<ServerInterceptor, ServerContext>>(server_ends_));
    for (const auto& interceptor : interceptors) builder.AddInterceptor(interceptor);
    absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ChannelOptions options;
    options.send_path = SendPath::kCopy;
    options.receive_path = ReceivePath::kCopy;
    options.interceptors = std::move(client_interceptors);
    options.interceptors.insert(options.interceptors.begin(),
                                std::make_shared<CountsEnds<ClientInterceptor, ClientContext>>(client_ends_));
    stub_ = std::make_unique<test::Blob::Stub>(CreateCustomChannel(target(), InsecureChannelCredentials(), options));
  }
  std::string target() const { return "ipv4:127.0.0.1:" + std::to_string(port_); }

  // Of so many calls, at both ends.
  void AwaitEnds(int calls) {
    client_ends_->Await(calls);
    server_ends_->Await(calls);
  }

  const std::shared_ptr<Ends> client_ends_ = std::make_shared<Ends>();
  const std::shared_ptr<Ends> server_ends_ = std::make_shared<Ends>();
  test::BlobService service_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
  std::unique_ptr<test::Blob::Stub> stub_;
};

}  // namespace pagewire::admin
