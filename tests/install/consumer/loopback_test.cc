// A client and a server in one program, through loopback, with payloads of awkward sizes from every kind of memory.
#include <pagewire/health.h>
#include <pagewire/pagewire.h>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "no_package.pagewire.h"
#include "storage/v1/blob.pagewire.h"

namespace {

using storage::v1::BlobStore;
using storage::v1::GetReply;
using storage::v1::Key;
using storage::v1::PutReply;

// Keeps the payloads it was given: handles that outlive their calls, and perhaps the server.
class Store final : public BlobStore::Service {
 public:
  absl::StatusOr<PutReply> Put(pagewire::ServerContext&, const Key& key, pagewire::Payload payload) override {
    PutReply reply;
    reply.set_size(payload.size());
    std::lock_guard lock(mutex_);
    blobs_[key.name()] = std::move(payload);
    return reply;
  }

  absl::StatusOr<pagewire::WithPayload<GetReply>> Get(pagewire::ServerContext&, const Key& key) override {
    std::lock_guard lock(mutex_);
    const auto found = blobs_.find(key.name());
    if (found == blobs_.end()) return absl::NotFoundError("no blob of that name");
    pagewire::WithPayload<GetReply> reply;
    *reply.message.mutable_key() = key;
    reply.payload = found->second;
    return reply;
  }

  absl::StatusOr<pagewire::WithPayload<GetReply>> Swap(pagewire::ServerContext&, const Key& key,
                                                       pagewire::Payload payload) override {
    std::lock_guard lock(mutex_);
    pagewire::WithPayload<GetReply> reply;
    *reply.message.mutable_key() = key;
    reply.payload = std::exchange(blobs_[key.name()], std::move(payload));
    return reply;
  }

  std::map<std::string, pagewire::Payload> TakeAll() {
    std::lock_guard lock(mutex_);
    return std::move(blobs_);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, pagewire::Payload> blobs_;
};

class RootlessService final : public Rootless::Service {
 public:
  absl::StatusOr<pagewire::WithPayload<Key>> Echo(pagewire::ServerContext&, const Key& key,
                                                  pagewire::Payload payload) override {
    return pagewire::WithPayload<Key>{key, std::move(payload)};
  }
};

// Bytes that differ at every offset within a page and from page to page.
std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = static_cast<uint32_t>(size) * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

std::string ToString(const pagewire::Payload& payload) {
  std::string bytes(payload.size(), '\0');
  payload.CopyTo(absl::Span<char>(bytes.data(), bytes.size()));
  return bytes;
}

pagewire::Payload Pooled(const std::string& bytes) {
  auto buffer = pagewire::PayloadBuffer::Allocate(bytes.size());
  bytes.copy(buffer.data(), bytes.size());
  return std::move(buffer).Freeze();
}

class LoopbackTest : public testing::Test {
 protected:
  void SetUp() override {
    int port = 0;
    pagewire::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", pagewire::InsecureServerCredentials(), &port);
    builder.RegisterService(&store_).RegisterService(&echo_).RegisterService(health_.service());
    auto server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ =
        pagewire::CreateChannel("ipv4:127.0.0.1:" + std::to_string(port), pagewire::InsecureChannelCredentials());
  }

  static Key Named(const std::string& name) {
    Key key;
    key.set_name(name);
    return key;
  }

  pagewire::HealthCheckService health_;
  Store store_;
  RootlessService echo_;
  std::unique_ptr<pagewire::Server> server_;
  std::shared_ptr<pagewire::Channel> channel_;
};

constexpr size_t kSizes[] = {0, 1, 4095, 4096, 4097, 65535, 1 << 20, (1 << 20) + 1, (5 << 20) + 4095};

TEST_F(LoopbackTest, PooledMemoryThereAndBack) {
  BlobStore::Stub stub(channel_);
  for (const size_t size : kSizes) {
    const std::string bytes = Bytes(size);
    pagewire::ClientContext put, get;
    const auto stored = stub.Put(put, Named("pooled"), Pooled(bytes));
    ASSERT_TRUE(stored.ok()) << stored.status();
    EXPECT_EQ(stored->size(), size);
    EXPECT_EQ(put.transfer_report().sent.payload_bytes, size);
    const auto got = stub.Get(get, Named("pooled"));
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->message.key().name(), "pooled");
    EXPECT_TRUE(ToString(got->payload) == bytes) << size << " bytes";
  }
}

TEST_F(LoopbackTest, ExternalMemoryAtAnyAddressIsReleasedOnce) {
  Rootless::Stub stub(channel_);
  for (const size_t size : kSizes) {
    const std::string bytes = Bytes(size + 3);  // sent from an odd address
    std::atomic<int> releases = 0;
    std::promise<void> released;
    {
      pagewire::ClientContext context;
      auto payload = pagewire::Payload::FromExternal(bytes.data() + 3, size, [&] {
        if (++releases == 1) released.set_value();
      });
      const auto echoed = stub.Echo(context, Named("x"), std::move(payload));
      ASSERT_TRUE(echoed.ok()) << echoed.status();
      EXPECT_TRUE(ToString(echoed->payload) == bytes.substr(3)) << size << " bytes";
    }
    released.get_future().wait();
    EXPECT_EQ(releases, 1);
  }
}

TEST_F(LoopbackTest, PayloadsOutliveServerAndChannel) {
  const std::string bytes = Bytes(3'000'001);
  pagewire::Payload got;
  {
    BlobStore::Stub stub(channel_);
    pagewire::ClientContext put, swap;
    ASSERT_TRUE(stub.Put(put, Named("kept"), Pooled(bytes)).ok());
    auto swapped = stub.Swap(swap, Named("kept"), Pooled("new"));
    ASSERT_TRUE(swapped.ok()) << swapped.status();
    got = std::move(swapped->payload);
  }
  auto kept = store_.TakeAll();
  channel_.reset();
  server_->Shutdown(absl::Now() + absl::Seconds(10));
  server_.reset();
  EXPECT_TRUE(ToString(got) == bytes);
  EXPECT_EQ(ToString(kept["kept"]), "new");
}

TEST_F(LoopbackTest, AStatusOfTheHandlerArrives) {
  BlobStore::Stub stub(channel_);
  pagewire::ClientContext context;
  context.set_timeout(absl::Seconds(30));
  const auto got = stub.Get(context, Named("nowhere"));
  EXPECT_EQ(got.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(got.status().message(), "no blob of that name");
}

TEST_F(LoopbackTest, MethodsThatAreNotOverriddenAreUnimplemented) {
  BlobStore::Stub stub(channel_);
  pagewire::ClientContext context;
  const auto cleared = stub.Clear(context, google::protobuf::Empty());
  EXPECT_EQ(cleared.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(cleared.status().message()), testing::HasSubstr("/storage.v1.BlobStore/Clear"));
}

}  // namespace
