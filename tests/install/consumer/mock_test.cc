// Code that calls a service is tested with the generated mock, without a network.
#include <pagewire/pagewire.h>

#include <absl/status/status.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "storage/v1/blob.pagewire.mock.h"

namespace {

using storage::v1::BlobStore;
using testing::_;
using testing::Return;

// The code under test.
absl::StatusOr<uint64_t> SizeOf(BlobStore::Stub& stub, const std::string& name) {
  pagewire::ClientContext context;
  storage::v1::Key key;
  key.set_name(name);
  auto got = stub.Get(context, key);
  if (!got.ok()) return got.status();
  return got->payload.size();
}

TEST(MockTest, AnswersWithAPayload) {
  BlobStore::MockStub stub;
  pagewire::WithPayload<storage::v1::GetReply> reply;
  reply.payload = pagewire::PayloadBuffer::Allocate(4097).Freeze();
  EXPECT_CALL(stub, Get(_, testing::Property(&storage::v1::Key::name, "a"))).WillOnce(Return(reply));
  const auto size = SizeOf(stub, "a");
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(*size, 4097u);
}

TEST(MockTest, AnswersWithAnError) {
  BlobStore::MockStub stub;
  EXPECT_CALL(stub, Get(_, _)).WillOnce(Return(absl::UnavailableError("gone")));
  EXPECT_EQ(SizeOf(stub, "a").status(), absl::UnavailableError("gone"));
}

}  // namespace
