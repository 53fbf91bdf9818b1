// What observers learn of payloads and of the peer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "base/latch.h"
#include "integration/blob_service.h"
#include "semantics/piece_services.h"
#include "semantics/semantics_service.h"

namespace pagewire::semantics {
namespace {

constexpr size_t kCopy = static_cast<size_t>(SendPath::kCopy);
constexpr size_t kReceiveCopy = static_cast<size_t>(ReceivePath::kCopy);
constexpr size_t kSendUnknown = static_cast<size_t>(SendPath::kAuto);

uint64_t SumOf(const std::array<uint64_t, kCopyReasonCount>& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), uint64_t{0});
}

// What one call's observer was told; to be read when it is over.
struct Told {
  TransferTotals sent;
  TransferTotals received;
  std::string peer;
  testing::Latch over;
};

class Observer final : public CallObserver {
 public:
  explicit Observer(Told& told) : told_(told) {}
  ~Observer() override { told_.over.CountDown(); }
  void OnPayloadsSent(const TransferTotals& totals) override { told_.sent.Add(totals); }
  void OnPayloadsReceived(const TransferTotals& totals) override { told_.received.Add(totals); }
  void OnPeer(std::string_view peer) override { told_.peer += peer; }

 private:
  Told& told_;
};

template <typename Base, typename Context>
class Interceptor final : public Base {
 public:
  explicit Interceptor(Told& told) : told_(told) {}
  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method&, Context&) override {
    return std::make_unique<Observer>(told_);
  }

 private:
  Told& told_;
};

// One call, watched at both ends, over the paths that every machine has.
class TransferObserverTest : public SemanticsTest {
 protected:
  void SetUp() override {
    builder_.RegisterService(&pieces_)
        .SetSendPath(SendPath::kCopy)
        .SetReceivePath(ReceivePath::kCopy)
        .AddInterceptor(std::make_shared<Interceptor<ServerInterceptor, ServerContext>>(server_told_));
    SemanticsTest::SetUp();
  }
  std::shared_ptr<Channel> Watched() {
    ChannelOptions options;
    options.send_path = SendPath::kCopy;
    options.receive_path = ReceivePath::kCopy;
    options.interceptors = {std::make_shared<Interceptor<ClientInterceptor, ClientContext>>(client_told_)};
    return MakeChannel(options);
  }
  void AwaitBoth() {
    client_told_.over.Wait();
    server_told_.over.Wait();
  }

  PieceService pieces_;
  Told client_told_;
  Told server_told_;
};

TEST_F(TransferObserverTest, OfAUnaryCall) {
  Semantics::Stub stub(Watched());
  ClientContext context;
  ASSERT_TRUE(stub.Echo(context, Item(), Payload::FromCord(absl::Cord(std::string(10'000, 'x')))).ok());
  AwaitBoth();
  const TransferTotals& sent = client_told_.sent;
  EXPECT_EQ(sent.payloads, 1u);
  EXPECT_EQ(sent.payload_bytes, 10'000u);
  EXPECT_EQ(sent.payloads_by_path[kCopy][kReceiveCopy], 1u);
  EXPECT_EQ(sent.mapped_bytes, 0u);
  EXPECT_EQ(SumOf(sent.copied_bytes), 10'000u);
  EXPECT_EQ(SumOf(sent.kernel_copied_by_reason), 10'000u);
  EXPECT_EQ(sent.copied_bytes, context.transfer_report().sent.copied_bytes);
  EXPECT_EQ(sent.acks, context.transfer_report().sent.acks);
  for (const TransferTotals* received : {&client_told_.received, &server_told_.received}) {
    EXPECT_EQ(received->payloads, 1u);
    EXPECT_EQ(received->payload_bytes, 10'000u);
    EXPECT_EQ(received->payloads_by_path[kSendUnknown][kReceiveCopy], 1u);
    EXPECT_EQ(SumOf(received->copied_bytes), 10'000u);
    EXPECT_EQ(received->chunks, 1u);
  }
  EXPECT_EQ(server_told_.sent.payloads, 0u) << "the handler was done before the client said anything";
}

TEST_F(TransferObserverTest, ThePeerIsToldAtTheClient) {
  Semantics::Stub stub(Watched());
  ClientContext context;
  ASSERT_TRUE(stub.Echo(context, Item(), Payload()).ok());
  AwaitBoth();
  EXPECT_EQ(client_told_.peer, "ipv4:" + address());
  EXPECT_EQ(server_told_.peer, "") << "ServerContext has it";
  EXPECT_EQ(client_told_.sent.payloads, 0u) << "there was none";
}

TEST_F(TransferObserverTest, ThereIsNoPeerWithoutAConnection) {
  ChannelOptions options;
  options.interceptors = {std::make_shared<Interceptor<ClientInterceptor, ClientContext>>(client_told_)};
  Semantics::Stub stub(CreateCustomChannel("unix:/nonexistent/socket", InsecureChannelCredentials(), options));
  ClientContext context;
  EXPECT_EQ(stub.Echo(context, Item(), Payload()).status().code(), absl::StatusCode::kUnavailable);
  client_told_.over.Wait();
  EXPECT_EQ(client_told_.peer, "");
}

TEST_F(TransferObserverTest, OfAStreamOfRequests) {
  Semantics::Stub stub(Watched());
  ClientContext context;
  const auto writer = stub.CollectPayloads(context);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(writer->Write(Item(), test::MakePayload(5000, /*seed=*/0)), absl::OkStatus());
  }
  ASSERT_TRUE(writer->Finish().ok());
  AwaitBoth();
  EXPECT_EQ(client_told_.sent.payloads, 20u);
  EXPECT_EQ(client_told_.sent.payload_bytes, 100'000u);
  EXPECT_EQ(server_told_.received.payloads, 20u);
  EXPECT_EQ(SumOf(server_told_.received.copied_bytes), 100'000u);
}

TEST_F(TransferObserverTest, OfAStreamOfResponses) {
  Semantics::Stub stub(Watched());
  ClientContext context;
  Order order;
  order.set_count(20);
  order.set_payload_size(5000);
  const auto reader = stub.ProducePayloads(context, order);
  while (reader->Read()->has_value()) continue;
  ASSERT_EQ(reader->Finish(), absl::OkStatus());
  AwaitBoth();
  EXPECT_EQ(client_told_.received.payloads, 20u);
  EXPECT_EQ(client_told_.received.payload_bytes, 100'000u);
  EXPECT_LE(server_told_.sent.payloads, 20u);
  EXPECT_EQ(server_told_.sent.payload_bytes, server_told_.sent.payloads * 5000);
}

TEST_F(TransferObserverTest, EveryPieceOfAPiecewisePayload) {
  Pieces::Stub stub(Watched());
  ClientContext context;
  const auto writer = stub.Put(context, Thing());
  for (int i = 0; i < 30; ++i) ASSERT_EQ(writer->Write(PatternAt(i * 100'000, 100'000)), absl::OkStatus());
  ASSERT_TRUE(writer->Finish().ok());
  AwaitBoth();
  EXPECT_EQ(client_told_.sent.payload_bytes, 3'000'000u);
  EXPECT_EQ(SumOf(client_told_.sent.copied_bytes), 3'000'000u);
  EXPECT_EQ(server_told_.received.payload_bytes, 3'000'000u);
  EXPECT_EQ(server_told_.received.payloads, client_told_.sent.payloads);
}

}  // namespace
}  // namespace pagewire::semantics
