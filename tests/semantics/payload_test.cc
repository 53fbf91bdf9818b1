// What becomes of payloads when calls do not go as planned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "integration/blob_service.h"
#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using test::Blob;
using test::BlobReply;
using test::BlobRequest;

// Memory whose release is awaited; everything that is lent comes back.
class Lent {
 public:
  explicit Lent(size_t size) : memory_(size, 'L') {}
  ~Lent() { released_.get_future().get(); }
  Payload payload() {
    return Payload::FromExternal(memory_.data(), memory_.size(), [this] { released_.set_value(); });
  }

 private:
  std::string memory_;
  std::promise<void> released_;
};

class PayloadSemanticsTest : public SemanticsTest {
 protected:
  void SetUp() override {
    builder_.RegisterService(&blobs_);
    SemanticsTest::SetUp();
  }

  test::BlobService blobs_;
};

TEST_F(PayloadSemanticsTest, AnEmptyPayload) {
  Blob::Stub stub(MakeChannel());
  Lent none(0);
  ClientContext context;
  absl::StatusOr<WithPayload<BlobReply>> reply = stub.Swap(context, BlobRequest(), none.payload());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->payload.size(), 0u);
}

TEST_F(PayloadSemanticsTest, AnErrorStatusComesWithoutAPayload) {
  Blob::Stub stub(MakeChannel());
  Lent lent(3 << 20);
  ClientContext context;
  BlobRequest request;
  request.set_code(static_cast<uint32_t>(absl::StatusCode::kAborted));
  EXPECT_EQ(stub.Swap(context, request, lent.payload()).status().code(), absl::StatusCode::kAborted);
}

TEST_F(PayloadSemanticsTest, CancelMidPayload) {
  Semantics::Stub stub(MakeChannel());
  Lent lent(64 << 20);  // more than a call's credit: it cannot have been sent whole
  ClientContext context;
  const auto stuck = stub.Callback().Stuck(context);
  std::promise<absl::Status> written;
  stuck.Write(Item(), test::MakePayload(1 << 20, 1), nullptr);
  stuck.Write(Item(), lent.payload(), [&](absl::Status status) { written.set_value(std::move(status)); });
  context.TryCancel();
  EXPECT_EQ(written.get_future().get().code(), absl::StatusCode::kCancelled);
  service_.go_on.CountDown();
}

TEST_F(PayloadSemanticsTest, Digests) {
  for (const auto& [send, receive] :
       {std::pair(SendPath::kCopy, ReceivePath::kCopy), std::pair(SendPath::kZerocopy, ReceivePath::kMap)}) {
    ChannelOptions options;
    options.send_path = send;
    options.receive_path = receive;
    for (const bool digests : {false, true}) {
      options.payload_digests = digests;
      Semantics::Stub stub(MakeChannel(options));
      ClientContext context;
      const absl::StatusOr<WithPayload<Item>> reply = stub.Echo(context, Item(), test::MakePayload(3'000'000, 5));
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(test::HashOf(reply->payload), test::ExpectedHash(3'000'000, 5));
      EXPECT_EQ(context.transfer_report().sent.digest, digests);
      EXPECT_EQ(context.transfer_report().received.digest, digests);
    }
  }
}

// More than one cycle of the chooser (transport/path_chooser.h): most payloads take the sane paths, one group another.
TEST_F(PayloadSemanticsTest, AutoLearnsFromWhatPayloadsCost) {
  if (pagewire::testing::TestsUseTls()) GTEST_SKIP() << "over TLS everything is copied: there is no choice";
  Blob::Stub stub(MakeChannel());
  int measured = 0, elsewhere = 0;
  CallTransferReport last;
  constexpr int kCalls = 1100;
  for (int i = 0; i < kCalls; ++i) {
    ClientContext context;
    ASSERT_TRUE(stub.Put(context, BlobRequest(), test::MakePayload(64 << 10, 1)).ok());
    last = context.transfer_report();
    EXPECT_TRUE(last.sent.evidence.measured);
    measured += last.sent.send_cpu_ns > 0 && last.sent.receive_cpu_ns > 0;
    elsewhere += last.sent.send_path != SendPath::kCopy || last.sent.receive_path != ReceivePath::kCopy;
  }
  EXPECT_GE(measured, 8);
  EXPECT_LE(measured, kCalls / 20);
  EXPECT_GE(elsewhere, 1);
  EXPECT_THAT(last.sent.explain(), ::testing::HasSubstr("when last tried"));
}

TEST_F(PayloadSemanticsTest, DeadlineMidPayload) {
  Semantics::Stub stub(MakeChannel());
  Lent lent(64 << 20);
  ClientContext context;
  context.set_timeout(absl::Milliseconds(100));
  const auto stuck = stub.Callback().Stuck(context);
  std::promise<absl::Status> written;
  stuck.Write(Item(), test::MakePayload(1 << 20, 1), nullptr);
  stuck.Write(Item(), lent.payload(), [&](absl::Status status) { written.set_value(std::move(status)); });
  EXPECT_EQ(written.get_future().get().code(), absl::StatusCode::kDeadlineExceeded);
  service_.go_on.CountDown();
}

TEST_F(PayloadSemanticsTest, AHandlerThatNeverReadsItsPayload) {
  Blob::Stub stub(MakeChannel());
  for (int i = 0; i < 20; ++i) {
    Lent lent(5 << 20);
    ClientContext context;
    // Answers without looking at what came.
    BlobRequest request;
    request.set_code(static_cast<uint32_t>(absl::StatusCode::kOutOfRange));
    EXPECT_EQ(stub.Put(context, request, lent.payload()).status().code(), absl::StatusCode::kOutOfRange);
  }
  EXPECT_EQ(HeldBytes(), 0u);
}

TEST_F(PayloadSemanticsTest, AHandlerThatKeepsItAfterReturning) {
  Blob::Stub stub(MakeChannel());
  std::promise<bool> released;
  ClientContext context;
  context.OnPeerReleased([&](bool happened) { released.set_value(happened); });
  ASSERT_TRUE(stub.Keep(context, BlobRequest(), test::MakePayload(3'000'000, 4)).ok());
  std::vector<Payload> kept = blobs_.TakeKept();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(test::HashOf(kept[0]), test::ExpectedHash(3'000'000, 4));
  kept.clear();
  EXPECT_TRUE(released.get_future().get()) << "the client learns that it was let go of, after the call";
}

TEST_F(PayloadSemanticsTest, AResponseToADeadClient) {
  BlobRequest request;
  request.set_size(64 << 20);
  for (int i = 0; i < 10; ++i) {
    ClientContext context;
    Blob::Stub stub(MakeChannel());
    stub.Callback().Get(context, request, nullptr);
    // Channel and connection go while the server works on it.
  }
  ClientContext context;
  Blob::Stub stub(MakeChannel());
  request.set_size(1000);
  EXPECT_TRUE(stub.Get(context, request).ok()) << "the server is none the worse";
}

// A file that is too short is noticed before the call, one that is cut short later ends the call.
TEST_F(PayloadSemanticsTest, ASourceFileThatIsTruncated) {
  Blob::Stub stub(MakeChannel());
  const base::UniqueFd file(memfd_create("source", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(file.get(), 5'000'000), 0);
  absl::StatusOr<Payload> whole = Payload::FromFile(file.get(), 0, 5'000'000);
  ASSERT_TRUE(whole.ok()) << whole.status();
  ASSERT_EQ(ftruncate(file.get(), 1000), 0);
  ClientContext context;
  const absl::Status status = stub.Put(context, BlobRequest(), *std::move(whole)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("could not be read at offset 1000"));
  ClientContext next;
  EXPECT_TRUE(stub.Put(next, BlobRequest(), *Payload::FromFile(file.get(), 0, 1000)).ok());
  EXPECT_EQ(Payload::FromFile(file.get(), 0, 5'000'000).status().code(), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace pagewire::semantics
