#include <fcntl.h>
#include <gtest/gtest.h>
#include <pagewire/payload.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <string>

#include "base/unique_fd.h"
#include "payload/pool.h"

namespace pagewire {
namespace {

class PayloadFileTest : public ::testing::Test {
 protected:
  PayloadFileTest() : fd_(Create()) {}

  static int Create() {
    std::string name = ::testing::TempDir() + "/payloadXXXXXX";
    const int fd = mkstemp(name.data());
    unlink(name.c_str());
    return fd;
  }

  void Write(const std::string& content) {
    ASSERT_EQ(pwrite(fd_.get(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  }

  std::string Read(uint64_t offset, uint64_t length) {
    const absl::StatusOr<Payload> payload = Payload::FromFile(fd_.get(), offset, length);
    EXPECT_TRUE(payload.ok()) << payload.status();
    if (!payload.ok()) return "";
    std::string text(payload->size(), '\0');
    payload->CopyTo(absl::MakeSpan(text));
    return text;
  }

  base::UniqueFd fd_;
};

TEST_F(PayloadFileTest, ReadsExactlyTheRange) {
  std::string content(5 << 20, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 + i / 4096);
  Write(content);
  EXPECT_EQ(Read(0, content.size()), content);
  EXPECT_EQ(Read(4095, 4098), content.substr(4095, 4098));
  EXPECT_EQ(Read(1, (4 << 20) + 1), content.substr(1, (4 << 20) + 1));
  EXPECT_EQ(Read(content.size() - 1, 1), content.substr(content.size() - 1));
  EXPECT_EQ(Read(content.size(), 0), "");
  EXPECT_EQ(lseek(fd_.get(), 0, SEEK_CUR), 0) << "the position does not move";
}

TEST_F(PayloadFileTest, AHoleIsZeros) {
  ASSERT_EQ(ftruncate(fd_.get(), 10000), 0);
  EXPECT_EQ(Read(0, 10000), std::string(10000, '\0'));
}

TEST_F(PayloadFileTest, BeyondTheEndIsOutOfRange) {
  Write("0123456789");
  const absl::Status one_more = Payload::FromFile(fd_.get(), 0, 11).status();
  EXPECT_EQ(one_more.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(one_more.message(), "the file ends at offset 10: it has no 11 bytes at offset 0");
  EXPECT_EQ(Payload::FromFile(fd_.get(), 11, 0).status().code(), absl::StatusCode::kOutOfRange);
  for (const uint64_t offset : {uint64_t{5}, UINT64_MAX, UINT64_MAX - 5}) {
    for (const uint64_t length : {uint64_t{6}, UINT64_MAX, UINT64_MAX - 5}) {
      EXPECT_EQ(Payload::FromFile(fd_.get(), offset, length).status().code(), absl::StatusCode::kOutOfRange);
    }
  }
}

TEST_F(PayloadFileTest, AFileThatDoesNotSayItsSizeIsReadToSee) {
  const base::UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const uint64_t before = memory::Pool::Default().stats().in_use;
  const absl::Status ended = Payload::FromFile(null.get(), 0, 5 << 20).status();
  EXPECT_EQ(ended.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ended.message(), "the file ends at offset 0, 2097152 bytes or more before the end of the payload's range");
  EXPECT_EQ(memory::Pool::Default().stats().in_use, before);
  EXPECT_EQ(Payload::FromFile(null.get(), UINT64_MAX, 1).status().code(), absl::StatusCode::kOutOfRange);

  const base::UniqueFd zero(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const absl::StatusOr<Payload> zeros = Payload::FromFile(zero.get(), 0, 100);
  ASSERT_TRUE(zeros.ok()) << zeros.status();
  EXPECT_EQ(zeros->size(), 100u);
}

TEST_F(PayloadFileTest, SystemErrorsAreMapped) {
  const absl::Status bad = Payload::FromFile(-1, 0, 1).status();
  EXPECT_EQ(bad.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(bad.message(), "cannot make a payload of the file: Bad file descriptor");

  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const base::UniqueFd reader(ends[0]);
  const base::UniqueFd writer(ends[1]);
  const absl::Status pipe = Payload::FromFile(reader.get(), 0, 1).status();
  EXPECT_EQ(pipe.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(pipe.message(), "cannot read the file at offset 0: Illegal seek");

  const base::UniqueFd directory(open("/", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Payload::FromFile(directory.get(), 0, 1).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace pagewire
