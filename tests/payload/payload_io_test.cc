#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/payload_io.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/latch.h"
#include "base/unique_fd.h"

namespace pagewire {
namespace {

using ::testing::HasSubstr;

std::string Content(size_t size, char seed = 0) {
  std::string content(size, '\0');
  for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 + i / 4096 + seed + 1);
  return content;
}

// The same bytes in memory of different kinds.
Payload Pooled(const std::string& content) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(content.size());
  content.copy(buffer.data(), content.size());
  return std::move(buffer).Freeze();
}
Payload InPieces(const std::string& content, size_t piece) {
  std::vector<Payload> parts;
  for (size_t at = 0; at < content.size(); at += piece) parts.push_back(Pooled(content.substr(at, piece)));
  return Payload::Concat(parts);
}
Payload InACord(const std::string& content) {
  absl::Cord cord;
  for (size_t at = 0; at < content.size(); at += 777) cord.Append(absl::Cord(content.substr(at, 777)));
  return Payload::FromCord(std::move(cord));
}

struct Way {
  const char* name;
  bool direct;
  bool io_uring;
};

class File {
 public:
  File() : name_(::testing::TempDir() + "/payloadXXXXXX"), fd_(mkstemp(name_.data())) {}
  ~File() { unlink(name_.c_str()); }

  // Another descriptor; -1 where the file system has no O_DIRECT.
  base::UniqueFd Open(int flags) const { return base::UniqueFd(open(name_.c_str(), flags | O_CLOEXEC)); }
  void Set(const std::string& content) const {
    ASSERT_EQ(ftruncate(fd_.get(), 0), 0);
    ASSERT_EQ(pwrite(fd_.get(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  }
  std::string Get() const {
    struct stat info = {};
    EXPECT_EQ(fstat(fd_.get(), &info), 0);
    std::string content(static_cast<size_t>(info.st_size), '\0');
    EXPECT_EQ(pread(fd_.get(), content.data(), content.size(), 0), info.st_size);
    return content;
  }

 private:
  std::string name_;
  const base::UniqueFd fd_;
};

class PayloadIoTest : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    fd_ = file_.Open(O_RDWR | (GetParam().direct ? O_DIRECT : 0));
    if (fd_.get() < 0) GTEST_SKIP() << "no O_DIRECT in " << ::testing::TempDir();
    options_.io_uring = GetParam().io_uring;
  }
  absl::Status Write(const Payload& payload, uint64_t offset) {
    return WriteToFile(payload, fd_.get(), offset, options_);
  }

  const File file_;
  base::UniqueFd fd_;
  FileWriteOptions options_;
};

TEST_P(PayloadIoTest, AllBytesOfAllKindsOfMemory) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{4097}, size_t{3'000'123}}) {
    const std::string content = Content(size);
    for (const Payload& payload :
         {Pooled(content), InPieces(content, 8192), InPieces(content, 100'000), InACord(content),
          Payload::FromExternal(content.data(), size, nullptr), Pooled("x" + content).Slice(1, size)}) {
      SCOPED_TRACE(::testing::Message() << size << " bytes in " << payload.spans().size() << " spans");
      file_.Set("");
      ASSERT_EQ(Write(payload, 0), absl::OkStatus());
      EXPECT_TRUE(file_.Get() == content);
      file_.Set("");
      options_.durable = true;
      ASSERT_EQ(Write(payload, 8192), absl::OkStatus());
      EXPECT_TRUE(file_.Get() == (size == 0 ? "" : std::string(8192, '\0') + content));
    }
  }
  EXPECT_EQ(lseek(fd_.get(), 0, SEEK_CUR), 0) << "the position does not move";
}

TEST_P(PayloadIoTest, IntoTheMiddleOfAFile) {
  const std::string before = Content(100'000, 77);
  const std::string content = Content(10'000);
  file_.Set(before);
  ASSERT_EQ(Write(Pooled(content), 4096), absl::OkStatus());
  std::string expected = before;
  expected.replace(4096, content.size(), content);
  // 14,096 lies in the fourth page, whose rest is padded with O_DIRECT.
  if (GetParam().direct) expected.replace(14'096, 16'384 - 14'096, std::string(16'384 - 14'096, '\0'));
  EXPECT_TRUE(file_.Get() == expected);
}

TEST_P(PayloadIoTest, TheFileGetsNoLongerThanThePayloadReaches) {
  file_.Set(Content(14'200));
  ASSERT_EQ(Write(Pooled(Content(10'000)), 4096), absl::OkStatus());
  EXPECT_EQ(file_.Get().size(), 14'200u) << "it was longer before, and ends in the page that is padded";
  ASSERT_EQ(Write(Pooled(Content(10'200)), 4096), absl::OkStatus());
  EXPECT_EQ(file_.Get().size(), 14'296u);
}

TEST_P(PayloadIoTest, ReadsBackIntoABuffer) {
  const std::string content = Content(2'000'123);
  file_.Set(content);
  for (const auto& [offset, size] :
       {std::pair<size_t, size_t>{0, 2'000'123}, {4096, 4096}, {8192, 1}, {4096, 0}, {1'998'848, 1275}, {0, 5000}}) {
    PayloadBuffer buffer = PayloadBuffer::Allocate(size);
    ASSERT_EQ(ReadFromFile(fd_.get(), offset, buffer), absl::OkStatus()) << offset << " " << size;
    EXPECT_TRUE(std::string(buffer.data(), size) == content.substr(offset, size)) << offset << " " << size;
  }
  for (const auto& [offset, size] :
       {std::pair<size_t, size_t>{0, 2'000'124}, {1'998'848, 1276}, {4'096'000, 1}, {1'998'848, 100'000}}) {
    PayloadBuffer buffer = PayloadBuffer::Allocate(size);
    EXPECT_EQ(ReadFromFile(fd_.get(), offset, buffer).code(), absl::StatusCode::kOutOfRange) << offset << " " << size;
  }
}

TEST_P(PayloadIoTest, AnOffsetThatTheFileDoesNotAllow) {
  const absl::Status status = Write(Pooled("bytes"), 100);
  PayloadBuffer buffer = PayloadBuffer::Allocate(5);
  if (!GetParam().direct) {
    EXPECT_EQ(status, absl::OkStatus());
    EXPECT_EQ(ReadFromFile(fd_.get(), 100, buffer), absl::OkStatus());
    return;
  }
  EXPECT_EQ(status, absl::InvalidArgumentError(
                        "the file was opened with O_DIRECT, so the offset must be a multiple of 4096; it is 100"));
  EXPECT_EQ(ReadFromFile(fd_.get(), 100, buffer).code(), absl::StatusCode::kInvalidArgument);
  for (const uint64_t offset : {std::numeric_limits<uint64_t>::max() - 4095, uint64_t{1} << 63}) {
    EXPECT_EQ(Write(Pooled("bytes"), offset).code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(ReadFromFile(fd_.get(), offset, buffer).code(), absl::StatusCode::kOutOfRange);
  }
}

TEST_P(PayloadIoTest, ErrorsOfTheFile) {
  const Payload payload = Pooled(Content(3'000'000));
  fd_ = file_.Open(O_RDONLY | (GetParam().direct ? O_DIRECT : 0));
  EXPECT_EQ(Write(payload, 0).code(), absl::StatusCode::kFailedPrecondition);
  fd_ = file_.Open(O_RDWR | O_APPEND | (GetParam().direct ? O_DIRECT : 0));
  EXPECT_THAT(std::string(Write(payload, 0).message()), HasSubstr("O_APPEND"));
  fd_ = base::UniqueFd();
  EXPECT_FALSE(Write(payload, 0).ok());
  PayloadBuffer buffer = PayloadBuffer::Allocate(1);
  EXPECT_FALSE(ReadFromFile(-1, 0, buffer).ok());
  if (GetParam().direct) return;
  fd_ = base::UniqueFd(open("/dev/full", O_RDWR | O_CLOEXEC));
  const absl::Status full = Write(payload, 0);
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
  EXPECT_THAT(std::string(full.message()), HasSubstr("cannot write the file at offset 0"));
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const base::UniqueFd in(ends[0]), out(ends[1]);
  EXPECT_EQ(WriteToFile(payload, out.get(), 0, options_).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadFromFile(in.get(), 0, buffer).code(), absl::StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Ways, PayloadIoTest,
                         ::testing::Values(Way{"buffered", false, false}, Way{"direct", true, false},
                                           Way{"io_uring", false, true}, Way{"direct_io_uring", true, true}),
                         [](const auto& way) { return std::string(way.param.name); });

TEST(PayloadConcatTest, PutsPartsBehindEachOtherWithoutACopy) {
  const Payload first = Pooled("first ");
  const Payload second = InACord("second ");
  const Payload all = Payload::Concat({first, Payload(), second, first});
  std::string text(all.size(), '\0');
  all.CopyTo(absl::MakeSpan(text));
  EXPECT_EQ(text, "first second first ");
  EXPECT_EQ(all.spans()[0].data(), first.spans()[0].data());
  EXPECT_EQ(Payload::Concat({}).size(), 0u);
  EXPECT_EQ(Payload::Concat({Payload(), Payload()}).size(), 0u);
}

TEST(PayloadConcatTest, KeepsWhatItIsMadeOf) {
  std::atomic<bool> released = false;
  testing::Latch gone;
  const char bytes[] = "external";
  {
    Payload all;
    {
      const Payload part = Payload::FromExternal(bytes, 8, [&] {
        released = true;
        gone.CountDown();
      });
      all = Payload::Concat({part, part});
    }
    EXPECT_EQ(all.size(), 16u);
    EXPECT_EQ(all.Slice(6, 4).spans().size(), 2u);
    EXPECT_FALSE(released);
  }
  gone.Wait();
}

}  // namespace
}  // namespace pagewire
