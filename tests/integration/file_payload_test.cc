// Payloads whose bytes are in files, over every pair of paths, and files that are cut short on their way.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>
#include <sys/mman.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "integration/blob_service.h"
#include "payload/payload_builder.h"
#include "payload/pool.h"

namespace pagewire::test {
namespace {

constexpr uint64_t kFileBytes = (3 << 20) + 777;

class FilePayloadTest : public ::testing::TestWithParam<std::tuple<SendPath, ReceivePath>> {
 protected:
  FilePayloadTest() : file_(memfd_create("payload", MFD_CLOEXEC)), content_(kFileBytes, '\0') {
    for (size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<char>(i * 2654435761u >> 11);
    EXPECT_EQ(pwrite(file_.get(), content_.data(), content_.size(), 0), static_cast<ssize_t>(content_.size()));
    ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port_);
    builder.SetReceivePath(std::get<1>(GetParam()));
    builder.RegisterService(&blobs_);
    server_ = *builder.BuildAndStart();
    options_.send_path = std::get<0>(GetParam());
  }

  Blob::Stub MakeStub() const {
    return Blob::Stub(
        CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port_), InsecureChannelCredentials(), options_));
  }

  // What has arrived.
  std::string Take() {
    std::string bytes;
    for (const Payload& payload : blobs_.TakeKept()) {
      bytes.resize(payload.size());
      payload.CopyTo(absl::MakeSpan(bytes));
    }
    return bytes;
  }

  bool ByReference() const { return std::get<0>(GetParam()) == SendPath::kFile; }

  base::UniqueFd file_;
  std::string content_;
  BlobService blobs_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
  ChannelOptions options_;
};

TEST_P(FilePayloadTest, RangesArriveAsTheyAre) {
  Blob::Stub stub = MakeStub();
  for (const auto& [offset, length] : {std::pair<uint64_t, uint64_t>{0, kFileBytes},
                                       {0, 1 << 20},
                                       {4096, 256 << 10},
                                       {1, 3 << 20},
                                       {777, 65'536},
                                       {kFileBytes - 70'000, 70'000},
                                       {5, 100}}) {
    SCOPED_TRACE(::testing::Message() << length << " bytes at " << offset);
    absl::StatusOr<Payload> payload = Payload::FromFile(file_.get(), offset, length);
    ASSERT_TRUE(payload.ok()) << payload.status();
    ClientContext context;
    ASSERT_TRUE(stub.Keep(context, BlobRequest(), *std::move(payload)).ok());
    EXPECT_TRUE(Take() == content_.substr(offset, length));
    const TransferReport& report = context.transfer_report().sent;
    if (!ByReference() || length < 64 << 10) continue;
    EXPECT_EQ(report.send_path, SendPath::kFile) << report.explain();
    EXPECT_EQ(report.kernel_copied_bytes, length % 4096) << report.explain();
  }
}

TEST_P(FilePayloadTest, PartsOfFilesAndOfMemoryTogether) {
  Blob::Stub stub = MakeStub();
  const std::string memory(100'000, 'm');
  const Payload whole = *Payload::FromFile(file_.get(), 0, kFileBytes);
  const Payload parts[] = {whole.Slice(1000, 500'000), Payload::FromExternal(memory.data(), memory.size(), nullptr),
                           whole.Slice(2 << 20, 99'999), whole.Slice(5, 10)};
  ClientContext context, files;
  ASSERT_TRUE(stub.Keep(context, BlobRequest(), Payload::Concat(parts)).ok());
  EXPECT_TRUE(Take() ==
              content_.substr(1000, 500'000) + memory + content_.substr(2 << 20, 99'999) + content_.substr(5, 10));
  const Payload of_files[] = {parts[0], parts[2]};
  ASSERT_TRUE(stub.Keep(files, BlobRequest(), Payload::Concat(of_files)).ok());
  EXPECT_TRUE(Take() == content_.substr(1000, 500'000) + content_.substr(2 << 20, 99'999));
}

TEST_P(FilePayloadTest, Digests) {
  options_.payload_digests = true;
  Blob::Stub stub = MakeStub();
  // The first call may be made before the digests were negotiated.
  for (int i = 0; i < 2; ++i) {
    ClientContext context;
    ASSERT_TRUE(stub.Keep(context, BlobRequest(), *Payload::FromFile(file_.get(), 3, 1 << 20)).ok());
    EXPECT_TRUE(context.transfer_report().sent.digest);
    EXPECT_TRUE(Take() == content_.substr(3, 1 << 20));
  }
}

TEST_P(FilePayloadTest, AFileThatIsCutShortEndsItsCallAndNothingElse) {
  Blob::Stub stub = MakeStub();
  // Before its first byte, inside a page, between chunks, in the tail.
  for (const uint64_t left : {uint64_t{0}, uint64_t{100'001}, uint64_t{1 << 20}, kFileBytes - 1}) {
    SCOPED_TRACE(left);
    Payload payload = *Payload::FromFile(file_.get(), 0, kFileBytes);
    ASSERT_EQ(ftruncate(file_.get(), static_cast<off_t>(left)), 0);
    ClientContext context;
    const absl::Status status = stub.Keep(context, BlobRequest(), std::move(payload)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("the payload's source failed at the sender"));
    EXPECT_EQ(Take(), "");
    ASSERT_EQ(pwrite(file_.get(), content_.data(), content_.size(), 0), static_cast<ssize_t>(content_.size()));
    ClientContext next;
    ASSERT_TRUE(stub.Keep(next, BlobRequest(), *Payload::FromFile(file_.get(), 0, kFileBytes)).ok());
    EXPECT_TRUE(Take() == content_);
  }
}

TEST_P(FilePayloadTest, TheDescriptorMayBeClosed) {
  Blob::Stub stub = MakeStub();
  Payload payload = *Payload::FromFile(file_.get(), 0, kFileBytes);
  file_.Reset();
  ClientContext context;
  ASSERT_TRUE(stub.Keep(context, BlobRequest(), std::move(payload)).ok());
  EXPECT_TRUE(Take() == content_);
}

std::string NameOf(const ::testing::TestParamInfo<std::tuple<SendPath, ReceivePath>>& info) {
  return std::string(SendPathName(std::get<0>(info.param))) + "_" +
         std::string(ReceivePathName(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(Paths, FilePayloadTest,
                         ::testing::Combine(::testing::Values(SendPath::kAuto, SendPath::kCopy, SendPath::kZerocopy,
                                                              SendPath::kSplice, SendPath::kFile),
                                            ::testing::Values(ReceivePath::kCopy, ReceivePath::kMap)),
                         NameOf);

// Only the peer's word frees what was sent by reference: it must come for payloads that nobody gets, too.
TEST(ByReferenceTest, PayloadsOfCancelledCallsComeBackWhileTheConnectionLives) {
  constexpr uint64_t kBytes = 1 << 20;
  BlobService blobs;
  int port = 0;
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
  builder.RegisterService(&blobs);
  const auto server = *builder.BuildAndStart();
  ChannelOptions options;
  options.send_path = SendPath::kSplice;
  Blob::Stub stub(CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port), InsecureChannelCredentials(), options));
  for (int i = 0; i < 100; ++i) {
    std::promise<void> back, done;
    memory::PayloadBuilder payload;
    payload.Append(*memory::Pool::Default().TryAllocate(kBytes), kBytes);
    payload.OnReleased([&back] { back.set_value(); });
    ClientContext context;
    stub.Callback().Put(context, BlobRequest(), std::move(payload).Build(),
                        [&done](absl::StatusOr<BlobReply>) { done.set_value(); });
    for (int turn = 0; turn < 20 * i; ++turn) std::this_thread::yield();  // so that each ends somewhere else
    context.TryCancel();
    done.get_future().wait();
    back.get_future().wait();
  }
}

// A file larger than memory would be is sent through a few buffers.
TEST(FilePayloadMemoryTest, NoCopyOfTheFileIsMade) {
  constexpr uint64_t kBytes = 512 << 20;
  const base::UniqueFd file(memfd_create("sparse", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(file.get(), kBytes), 0);
  const uint64_t before = memory::Pool::Default().stats().in_use;
  const absl::StatusOr<Payload> payload = Payload::FromFile(file.get(), 0, kBytes);
  ASSERT_TRUE(payload.ok());
  EXPECT_EQ(memory::Pool::Default().stats().in_use, before);
  EXPECT_EQ(payload->size(), kBytes);
}

}  // namespace
}  // namespace pagewire::test
