#include "bulk/blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/payload_buffer.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "demo/temporary_directory.h"

namespace bulk {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

pagewire::Payload Content(const std::string& text) {
  pagewire::PayloadBuffer buffer = pagewire::PayloadBuffer::Allocate(text.size());
  std::copy(text.begin(), text.end(), buffer.data());
  return std::move(buffer).Freeze();
}

std::string TextOf(const pagewire::Payload& payload) {
  std::string text(payload.size(), '\0');
  payload.CopyTo({text.data(), text.size()});
  return text;
}

std::string FileText(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class BlobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<BlobStore>> store = BlobStore::Open(root_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  std::string Got(const std::string& name) {
    absl::StatusOr<pagewire::Payload> payload = store_->Get(name);
    return payload.ok() ? TextOf(*payload) : payload.status().ToString();
  }

  // Names of blobs, and "+" if there are more.
  std::vector<std::string> Listed(const std::string& after, size_t limit) {
    absl::StatusOr<BlobStore::Page> page = store_->List(after, limit);
    if (!page.ok()) return {page.status().ToString()};
    std::vector<std::string> names;
    for (const BlobStore::Entry& entry : page->entries) names.push_back(entry.name);
    if (page->more) names.push_back("+");
    return names;
  }

  std::vector<std::string> Incoming() {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(root_ + "/incoming")) names.push_back(entry.path());
    return names;
  }

  TemporaryDirectory directory_;
  const std::string root_ = directory_.path() + "/store";
  std::unique_ptr<BlobStore> store_;
};

TEST_F(BlobStoreTest, GivesBackWhatWasPut) {
  for (size_t size : {0u, 1u, 4095u, 4096u, 4097u, 3u << 20}) {
    std::string text(size, 'x');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
    ASSERT_EQ(store_->Put("blob", Content(text)), absl::OkStatus());
    EXPECT_TRUE(Got("blob") == text) << size;
    EXPECT_EQ(store_->Stat("blob")->size, size);
  }
  EXPECT_THAT(Incoming(), IsEmpty());
}

TEST_F(BlobStoreTest, PutsContentOfSeveralSpansInOrder) {
  absl::Cord cord;
  for (const char* part : {"one ", "two ", "three"}) cord.Append(absl::MakeCordFromExternal(part, [] {}));
  ASSERT_EQ(store_->Put("blob", pagewire::Payload::FromCord(cord)), absl::OkStatus());
  EXPECT_EQ(Got("blob"), "one two three");
}

TEST_F(BlobStoreTest, ContentOutlivesReplacementAndRemoval) {
  ASSERT_EQ(store_->Put("blob", Content("old")), absl::OkStatus());
  absl::StatusOr<pagewire::Payload> old = store_->Get("blob");
  ASSERT_TRUE(old.ok()) << old.status();
  ASSERT_EQ(store_->Put("blob", Content("new content")), absl::OkStatus());
  EXPECT_EQ(TextOf(*old), "old");
  EXPECT_EQ(Got("blob"), "new content");
  ASSERT_EQ(store_->Remove("blob"), absl::OkStatus());
  EXPECT_EQ(store_->Stat("blob").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BlobStoreTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(store_->Get("nothing").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(store_->Get("nothing").status().message()), HasSubstr("cannot open \"nothing\""));
  EXPECT_EQ(store_->Stat("nothing").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->Remove("nothing").code(), absl::StatusCode::kNotFound);
}

TEST_F(BlobStoreTest, RefusesNamesThatAreNoFileNamesAndSaysWhichRule) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "a blob's name must not be empty"},
      {".", "a blob's name must not be \".\" or \"..\": \".\""},
      {"..", "a blob's name must not be \".\" or \"..\": \"..\""},
      {"/etc/passwd", "a blob's name must not contain '/': \"/etc/passwd\""},
      {"../incoming/0", "a blob's name must not contain '/': \"../incoming/0\""},
      {"a/", "a blob's name must not contain '/': \"a/\""},
      {std::string("a\0b", 3), "a blob's name must not contain NUL: \"a\\x00\\x62\""},
      {std::string(256, 'n'), "a blob's name must not be longer than 255 bytes; this one has 256"},
  };
  for (const auto& [name, message] : cases) {
    const absl::Status expected = absl::InvalidArgumentError(message);
    EXPECT_EQ(store_->Put(name, Content("x")), expected);
    EXPECT_EQ(store_->Get(name).status(), expected);
    EXPECT_EQ(store_->Stat(name).status(), expected);
    EXPECT_EQ(store_->Remove(name), expected);
  }
  EXPECT_THAT(Listed("", 10), IsEmpty());
}

TEST_F(BlobStoreTest, TakesEveryOtherName) {
  for (const std::string& name : {std::string(255, 'n'), std::string("..."), std::string("-rf"), std::string(" \n*"),
                                  std::string("\xff\xfe\x01")}) {
    ASSERT_EQ(store_->Put(name, Content("content")), absl::OkStatus());
    EXPECT_EQ(Got(name), "content");
    EXPECT_THAT(Listed("", 10), ElementsAre(name));
    ASSERT_EQ(store_->Remove(name), absl::OkStatus());
  }
}

TEST_F(BlobStoreTest, NeverFollowsSymbolicLinks) {
  const std::string secret = directory_.path() + "/secret";
  std::ofstream(secret) << "secret";
  fs::create_symlink(secret, root_ + "/blobs/link");
  const absl::Status expected = absl::FailedPreconditionError("\"link\" is not a regular file");
  EXPECT_EQ(store_->Get("link").status(), expected);
  EXPECT_EQ(store_->Stat("link").status(), expected);
  EXPECT_THAT(Listed("", 10), IsEmpty());

  ASSERT_EQ(store_->Put("link", Content("blob")), absl::OkStatus());
  EXPECT_EQ(Got("link"), "blob");
  EXPECT_EQ(FileText(secret), "secret");
}

TEST_F(BlobStoreTest, ReadsNothingButFiles) {
  fs::create_directory(root_ + "/blobs/directory");
  ASSERT_EQ(mkfifo((root_ + "/blobs/pipe").c_str(), 0600), 0);
  for (const std::string name : {"directory", "pipe"}) {
    const absl::Status expected = absl::FailedPreconditionError("\"" + name + "\" is not a regular file");
    EXPECT_EQ(store_->Get(name).status(), expected);
    EXPECT_EQ(store_->Stat(name).status(), expected);
  }
  EXPECT_THAT(Listed("", 10), IsEmpty());
  EXPECT_EQ(store_->Put("directory", Content("x")).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Incoming(), IsEmpty());
}

TEST_F(BlobStoreTest, ListsInPages) {
  for (const std::string name : {"b", "a", "e", "d", "c"})
    ASSERT_EQ(store_->Put(name, Content(name)), absl::OkStatus());
  fs::create_directory(root_ + "/blobs/bb");  // is not a blob, and does not make a page shorter
  EXPECT_THAT(Listed("", 2), ElementsAre("a", "b", "+"));
  EXPECT_THAT(Listed("b", 2), ElementsAre("c", "d", "+"));
  EXPECT_THAT(Listed("d", 2), ElementsAre("e"));
  EXPECT_THAT(Listed("d", 1), ElementsAre("e"));
  EXPECT_THAT(Listed("e", 2), IsEmpty());
  EXPECT_THAT(Listed("aa", 9), ElementsAre("b", "c", "d", "e"));
}

TEST_F(BlobStoreTest, RemovesWhatWasInterruptedAndKeepsTheRest) {
  ASSERT_EQ(store_->Put("blob", Content("whole")), absl::OkStatus());
  std::ofstream(root_ + "/incoming/0") << "hal";
  std::ofstream(root_ + "/incoming/17") << "half a bl";
  Reopen();
  EXPECT_THAT(Incoming(), IsEmpty());
  EXPECT_THAT(Listed("", 10), ElementsAre("blob"));
  EXPECT_EQ(store_->Put("other", Content("more")), absl::OkStatus());
}

TEST_F(BlobStoreTest, AFailedPutChangesNothing) {
  ASSERT_EQ(store_->Put("blob", Content("old")), absl::OkStatus());
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {1 << 20, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const absl::Status status = store_->Put("blob", Content(std::string(2 << 20, 'n')));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot write 2097152 bytes"));
  EXPECT_EQ(Got("blob"), "old");
  EXPECT_THAT(Incoming(), IsEmpty());
}

TEST_F(BlobStoreTest, BelongsToOneAtATime) {
  const std::string root = root_;
  EXPECT_EQ(BlobStore::Open(root).status(),
            absl::FailedPreconditionError("store \"" + root + "\" is in use by another process"));
  store_.reset();
  EXPECT_TRUE(BlobStore::Open(root).ok());
}

TEST_F(BlobStoreTest, OpenSaysWhatIsWrongWithTheDirectory) {
  EXPECT_EQ(BlobStore::Open(directory_.path() + "/no/parent").status().code(), absl::StatusCode::kNotFound);
  std::ofstream(directory_.path() + "/file") << "";
  EXPECT_EQ(BlobStore::Open(directory_.path() + "/file").status().code(), absl::StatusCode::kFailedPrecondition);
}

// Puts of one name race; whoever reads in between sees one content or another, whole.
TEST_F(BlobStoreTest, ConcurrentPutsAreWhole) {
  static constexpr size_t kSize = 100'000;
  ASSERT_EQ(store_->Put("blob", Content(std::string(kSize, 'a'))), absl::OkStatus());
  std::vector<std::thread> threads;
  for (char letter : {'b', 'c', 'd'}) {
    threads.emplace_back([this, letter] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(store_->Put("blob", Content(std::string(kSize, letter))), absl::OkStatus());
        const std::string seen = Got("blob");
        ASSERT_EQ(seen.size(), kSize);
        EXPECT_EQ(seen, std::string(kSize, seen[0]));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Incoming(), IsEmpty());
}

}  // namespace
}  // namespace bulk
