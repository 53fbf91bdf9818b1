#include "transport/stream_end.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace pagewire::transport::testing {

StreamEnd::StreamEnd(Runner& runner, int index, std::unique_ptr<ByteStream> stream)
    : runner_(runner), index_(index), stream_(std::move(stream)) {}

StreamEnd::~StreamEnd() { Destroy(); }

void StreamEnd::Start() {
  Run([this] { StartHere(); });
}

void StreamEnd::Destroy() {
  Run([this] { DestroyHere(); });
}

IoResult StreamEnd::TryRead(absl::Span<const iovec> into) {
  IoResult result;
  Run([&] { result = stream_->Read(into); });
  return result;
}

IoResult StreamEnd::TryWrite(absl::Span<const iovec> from, WriteOptions options) {
  IoResult result;
  Run([&] { result = stream_->Write(from, options); });
  return result;
}

void StreamEnd::CloseWrite() {
  Run([this] { stream_->CloseWrite(); });
}

void StreamEnd::Abort() {
  Run([this] { stream_->Abort(); });
}

bool StreamEnd::SendQueueEmpty() {
  bool empty = false;
  Run([&] { empty = stream_->SendQueueEmpty(); });
  return empty;
}

std::optional<IoResult> StreamEnd::Read(absl::Span<const iovec> into) {
  for (;;) {
    IoResult result = TryRead(into);
    if (result.state != IoState::kBlocked) return result;
    if (!AwaitReadable()) return std::nullopt;
  }
}

std::optional<IoResult> StreamEnd::Write(absl::Span<const iovec> from, WriteOptions options) {
  for (;;) {
    IoResult result = TryWrite(from, options);
    if (result.state != IoState::kBlocked) return result;
    if (!AwaitWritable()) return std::nullopt;
  }
}

std::string StreamEnd::ReadExactly(size_t size, size_t at_once) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const iovec into = {bytes.data() + done, std::min(at_once, size - done)};
    auto result = Read({&into, 1});
    if (!result) {
      ADD_FAILURE() << "a blocked reader was not notified after " << done << " bytes";
      break;
    }
    last_ = *std::move(result);
    if (last_.state != IoState::kOk) break;
    EXPECT_GT(last_.bytes, 0u);
    done += last_.bytes;
  }
  bytes.resize(done);
  return bytes;
}

std::string StreamEnd::ReadAll() {
  constexpr size_t kAtOnce = 64 << 10;
  std::string all;
  do {
    all += ReadExactly(kAtOnce);
  } while (last_.state == IoState::kOk);
  return all;
}

bool StreamEnd::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const iovec from = Over(bytes);
    auto result = Write({&from, 1});
    if (!result) {
      ADD_FAILURE() << "a blocked writer was not notified with " << bytes.size() << " bytes left";
      return false;
    }
    last_ = *std::move(result);
    if (last_.state != IoState::kOk) return false;
    EXPECT_GT(last_.bytes, 0u);
    bytes.remove_prefix(last_.bytes);
  }
  return true;
}

IoResult StreamEnd::WriteUntilFailure() {
  while (WriteAll("more")) {
  }
  return last_;
}

int StreamEnd::TakeReadable() {
  base::MutexLock lock(runner_.mutex());
  return std::exchange(readable_, 0);
}

int StreamEnd::TakeWritable() {
  base::MutexLock lock(runner_.mutex());
  return std::exchange(writable_, 0);
}

bool StreamEnd::AwaitReadable() {
  const bool came = runner_.Await([this] { return readable_ > 0; });
  TakeReadable();
  return came;
}

bool StreamEnd::AwaitWritable() {
  const bool came = runner_.Await([this] { return writable_ > 0; });
  TakeWritable();
  return came;
}

void StreamEnd::OnReadable() {
  EXPECT_NE(stream_, nullptr) << "OnReadable came after the stream was destroyed";
  EXPECT_TRUE(runner_.loop(index_).InLoop());
  if (on_readable_) return on_readable_();
  base::MutexLock lock(runner_.mutex());
  ++readable_;
  runner_.Changed();
}

void StreamEnd::OnWritable() {
  EXPECT_NE(stream_, nullptr) << "OnWritable came after the stream was destroyed";
  EXPECT_TRUE(runner_.loop(index_).InLoop());
  if (on_writable_) return on_writable_();
  base::MutexLock lock(runner_.mutex());
  ++writable_;
  runner_.Changed();
}

}  // namespace pagewire::transport::testing
