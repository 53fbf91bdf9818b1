// The service of semantics.proto, and a server and channels for it.
#pragma once

#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <string>

#include "base/latch.h"
#include "base/mutex.h"
#include "base/own_host.h"
#include "semantics.pagewire.h"

namespace pagewire::semantics {

class SemanticsService final : public Semantics::Service {
 public:
  absl::StatusOr<WithPayload<Item>> Echo(ServerContext& context, const Item& item, Payload payload) override;
  absl::Status Produce(ServerContext& context, const Order& order, ServerWriter<Item>& writer) override;
  absl::Status ProducePayloads(ServerContext& context, const Order& order,
                               ServerWriter<WithPayload<Item>>& writer) override;
  absl::StatusOr<Summary> Collect(ServerContext& context, ServerReader<Item>& reader) override;
  absl::StatusOr<Summary> CollectPayloads(ServerContext& context, ServerReader<WithPayload<Item>>& reader) override;
  absl::Status Chat(ServerContext& context, ServerReaderWriter<Item, Item>& stream) override;
  absl::Status ChatPayloads(ServerContext& context,
                            ServerReaderWriter<WithPayload<Item>, WithPayload<Item>>& stream) override;
  absl::StatusOr<Summary> Stuck(ServerContext& context, ServerReader<WithPayload<Item>>& reader) override;
  absl::Status Hang(ServerContext& context, ServerReaderWriter<Item, Item>& stream) override;
  absl::Status Throw(ServerContext& context, ServerReaderWriter<Item, Item>& stream) override;

  testing::Latch go_on;  // for Stuck

  // What handlers saw that the client cannot.
  absl::Status last_write() const;
  absl::Status last_read() const;
  void AwaitCancelled(int count) const;

 private:
  void Wrote(absl::Status status);
  void Saw(absl::Status status);

  mutable base::Mutex mutex_;
  mutable base::CondVar changed_;
  absl::Status last_write_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_read_ ABSL_GUARDED_BY(mutex_);
  int cancelled_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The pieces that services in all forms use.
absl::Status StatusOf(const Order& order);
Item ItemOf(const Order& order, uint64_t number);
void Add(const Item& item, Summary& summary);

class SemanticsTest : public ::testing::Test {
 protected:
  void SetUp() override;

  // "host:port", of this process alone: a test may listen there again.
  std::string address() const { return pagewire::testing::OwnHost() + ":" + std::to_string(port_); }
  std::shared_ptr<Channel> MakeChannel(const ChannelOptions& options = ChannelOptions());

  SemanticsService service_;
  ServerBuilder builder_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

}  // namespace pagewire::semantics
