// What is special about in-process streams; byte_stream_conformance_test has what they share with all others.
#include "transport/in_process_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "transport/manual_loop.h"
#include "transport/stream_end.h"

namespace pagewire::transport::testing {
namespace {

class InProcessStreamTest : public ::testing::Test {
 protected:
  void Connect(size_t buffer_bytes) {
    StreamPair pair = MakeInProcessPair(runner_.loop(0), runner_.loop(1), {.buffer_bytes = buffer_bytes});
    a_ = std::make_unique<StreamEnd>(runner_, 0, std::move(pair.first));
    b_ = std::make_unique<StreamEnd>(runner_, 1, std::move(pair.second));
    a_->Start();
    b_->Start();
  }

  // Runs what is posted and forgets the notifications that came so far.
  void Settle() {
    runner_.Await([] { return false; });
    for (StreamEnd* end : {a_.get(), b_.get()}) {
      end->TakeReadable();
      end->TakeWritable();
    }
  }

  size_t TryWrite(std::string_view text) {
    const iovec from = Over(text);
    return a_->TryWrite({&from, 1}).bytes;
  }
  std::string TryRead(size_t size) {
    std::string text(size, '\0');
    const iovec into = {text.data(), size};
    text.resize(b_->TryRead({&into, 1}).bytes);
    return text;
  }

  using StreamPair = std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>>;
  ManualRunner runner_;
  std::unique_ptr<StreamEnd> a_;
  std::unique_ptr<StreamEnd> b_;
};

TEST_F(InProcessStreamTest, TheBufferIsExactlyAsLargeAsAsked) {
  Connect(10);
  EXPECT_EQ(TryWrite("0123456789abc"), 10u);
  EXPECT_EQ(TryWrite("x"), 0u);
  EXPECT_EQ(TryRead(4), "0123");
  EXPECT_EQ(TryWrite("abcdef"), 4u);
  EXPECT_EQ(TryRead(100), "456789abcd");
}

TEST_F(InProcessStreamTest, ABufferOfNothingIsOneByte) {
  Connect(0);
  EXPECT_EQ(TryWrite("xy"), 1u);
  EXPECT_EQ(TryRead(9), "x");
}

TEST_F(InProcessStreamTest, ABlockedWriterIsToldWhenHalfTheBufferIsFree) {
  Connect(10);
  TryWrite("0123456789");
  EXPECT_EQ(TryWrite("x"), 0u);
  Settle();
  EXPECT_EQ(TryRead(4), "0123");
  runner_.Await([] { return false; });
  EXPECT_EQ(a_->TakeWritable(), 0);
  EXPECT_EQ(TryRead(1), "4");
  runner_.Await([] { return false; });
  EXPECT_EQ(a_->TakeWritable(), 1);
  EXPECT_EQ(TryRead(5), "56789");
  runner_.Await([] { return false; });
  EXPECT_EQ(a_->TakeWritable(), 0) << "told once for each kBlocked";
}

TEST_F(InProcessStreamTest, OnlyABlockedReaderIsTold) {
  Connect(10);
  Settle();
  TryWrite("x");
  runner_.Await([] { return false; });
  EXPECT_EQ(b_->TakeReadable(), 0) << "it has not been told yet that there was nothing";
  EXPECT_EQ(TryRead(9), "x");
  EXPECT_EQ(TryRead(9), "");
  TryWrite("y");
  TryWrite("z");
  runner_.Await([] { return false; });
  EXPECT_EQ(b_->TakeReadable(), 1);
  EXPECT_EQ(a_->TakeWritable(), 0);
}

TEST_F(InProcessStreamTest, BytesCountAsQueuedUntilTheyAreRead) {
  Connect(10);
  TryWrite("x");
  EXPECT_FALSE(a_->SendQueueEmpty());
  TryRead(1);
  EXPECT_TRUE(a_->SendQueueEmpty());
}

TEST_F(InProcessStreamTest, EndsMayBeUsedBeforeTheOtherStartsAndAfterItsLoopIsGone) {
  ManualLoop here;
  auto other_loop = std::make_unique<ManualLoop>();
  auto [mine, other] = MakeInProcessPair(here, *other_loop);
  other.reset();
  other_loop.reset();
  const iovec from = Over("x");
  const IoResult result = mine->Write({&from, 1}, {});
  EXPECT_EQ(result.error, absl::UnavailableError("connection to in-process failed: the other end is closed"));
  mine->Abort();
}

TEST_F(InProcessStreamTest, SaysWhyItFailed) {
  Connect(10);
  TryWrite("unread");
  b_->Destroy();
  const iovec from = Over("x");
  EXPECT_EQ(a_->TryWrite({&from, 1}).error,
            absl::UnavailableError(
                "connection to in-process failed: reset by the other end, which closed with bytes unread"));
  Connect(10);
  b_->Abort();
  EXPECT_EQ(a_->TryWrite({&from, 1}).error,
            absl::UnavailableError("connection to in-process failed: reset by the other end"));
  EXPECT_EQ(b_->TryWrite({&from, 1}).error, absl::CancelledError("connection to in-process was aborted by this side"));
}

}  // namespace
}  // namespace pagewire::transport::testing
