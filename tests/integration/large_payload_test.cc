// A payload beyond 4 GiB: sizes and offsets do not fit into 32 bits anywhere on its way.
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>
#include <sys/mman.h>

#include <cstring>
#include <string>

#include "integration/blob_service.h"

namespace pagewire::test {
namespace {

TEST(LargePayload, BeyondFourGiB) {
  constexpr uint64_t kSize = (uint64_t{4} << 30) + (200 << 20) + 4097;
  SetHeldBudget(kSize);
  BlobService service;
  ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  Blob::Stub stub(CreateChannel("127.0.0.1:" + std::to_string(port), InsecureChannelCredentials()));

  // Zeros from the kernel, with marks on both sides of 4 GiB: the sender's side costs almost no memory.
  void* const memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  for (uint64_t at : {uint64_t{0}, (uint64_t{4} << 30) - 1, uint64_t{4} << 30, kSize - 1}) {
    static_cast<char*>(memory)[at] = 'm';
  }
  const Payload payload = Payload::FromExternal(memory, kSize, nullptr);
  ClientContext context;
  absl::StatusOr<BlobReply> reply = stub.Put(context, BlobRequest(), payload);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->size(), kSize);
  EXPECT_EQ(reply->hash(), HashOf(payload));
  EXPECT_EQ(context.transfer_report().sent.payload_bytes, kSize);
  munmap(memory, kSize);
}

}  // namespace
}  // namespace pagewire::test
