#include "bulk/blob_service.h"

#include <gtest/gtest.h>
#include <pagewire/in_process.h>
#include <pagewire/server_builder.h>

#include <string>

#include "bulk/digest.h"
#include "demo/temporary_directory.h"

namespace bulk {
namespace {

class BlobServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<BlobStore>> store = BlobStore::Open(directory_.path() + "/store");
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    service_ = std::make_unique<BlobService>(*store_);
    pagewire::ServerBuilder builder;
    builder.RegisterService(service_.get());
    absl::StatusOr<std::unique_ptr<pagewire::Server>> server = builder.BuildAndStart();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = std::make_unique<Blobs::Stub>(pagewire::CreateInProcessChannel(*server_));
  }

  absl::StatusOr<PutReply> Put(const std::string& name, const std::string& text, const std::string& digest = "") {
    PutRequest request;
    request.set_name(name);
    request.set_digest(digest);
    pagewire::ClientContext context;
    return stub_->Put(context, request, pagewire::Payload::FromCord(absl::Cord(text)));
  }

  absl::StatusOr<pagewire::WithPayload<GetReply>> Get(const std::string& name) {
    GetRequest request;
    request.set_name(name);
    pagewire::ClientContext context;
    return stub_->Get(context, request);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<BlobStore> store_;
  std::unique_ptr<BlobService> service_;
  std::unique_ptr<pagewire::Server> server_;
  std::unique_ptr<Blobs::Stub> stub_;
};

// From xxHash's own test suite: no bytes, seed 0.
constexpr char kDigestOfNothing[] = "99aa06d3014798d86001c324468d497f";

TEST_F(BlobServiceTest, TellsTheDigestOfWhatItReceivesAndSends) {
  const absl::StatusOr<PutReply> put = Put("blob", "");
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(put->digest(), kDigestOfNothing);
  const absl::StatusOr<pagewire::WithPayload<GetReply>> got = Get("blob");
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->message.digest(), kDigestOfNothing);
  EXPECT_EQ(got->payload.size(), 0u);

  const std::string text(100'000, 't');
  const std::string digest = DigestOf(pagewire::Payload::FromCord(absl::Cord(text)));
  EXPECT_EQ(Put("blob", text, digest)->digest(), digest);
  EXPECT_EQ(Get("blob")->message.digest(), digest);
  EXPECT_EQ(DigestOf(Get("blob")->payload), digest);
}

TEST_F(BlobServiceTest, RefusesOtherContentThanAnnounced) {
  ASSERT_TRUE(Put("blob", "old").ok());
  const std::string digest = DigestOf(pagewire::Payload::FromCord(absl::Cord("new")));
  EXPECT_EQ(Put("blob", "new", kDigestOfNothing).status(),
            absl::DataLossError("what arrived has digest " + digest + " instead of " + kDigestOfNothing +
                                "; nothing was stored"));
  EXPECT_EQ(Get("blob")->payload.size(), 3u);
  EXPECT_EQ(Get("blob")->message.digest(), DigestOf(pagewire::Payload::FromCord(absl::Cord("old"))));
}

TEST_F(BlobServiceTest, ErrorsOfTheStoreReachTheClient) {
  EXPECT_EQ(Put("../escape", "x").status(),
            absl::InvalidArgumentError("a blob's name must not contain '/': \"../escape\""));
  EXPECT_EQ(Get("nothing").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BlobServiceTest, ListsMoreThanOneReplyHolds) {
  for (int i = 0; i < 1005; ++i) {
    ASSERT_EQ(store_->Put(std::to_string(10'000 + i), pagewire::Payload()), absl::OkStatus());
  }
  pagewire::ClientContext first_context;
  ListRequest request;
  const absl::StatusOr<ListReply> first = stub_->List(first_context, request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->blobs_size(), 1000);
  EXPECT_TRUE(first->more());
  pagewire::ClientContext second_context;
  request.set_after(first->blobs(999).name());
  const absl::StatusOr<ListReply> second = stub_->List(second_context, request);
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_EQ(second->blobs_size(), 5);
  EXPECT_EQ(second->blobs(4).name(), "11004");
  EXPECT_FALSE(second->more());
}

TEST_F(BlobServiceTest, StatsAndRemoves) {
  ASSERT_TRUE(Put("blob", "12345").ok());
  StatRequest stat;
  stat.set_name("blob");
  pagewire::ClientContext stat_context;
  EXPECT_EQ(stub_->Stat(stat_context, stat)->blob().size(), 5u);
  RemoveRequest remove;
  remove.set_name("blob");
  pagewire::ClientContext remove_context;
  EXPECT_TRUE(stub_->Remove(remove_context, remove).ok());
  pagewire::ClientContext again_context;
  EXPECT_EQ(stub_->Stat(again_context, stat).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace bulk
