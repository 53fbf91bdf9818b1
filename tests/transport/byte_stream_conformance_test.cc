// What every ByteStream must do, whatever it is made of.
#include <absl/strings/match.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "transport/stream_end.h"
#include "transport/stream_kinds.h"
#include "transport/stream_pump.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::HasSubstr;

class ByteStreamConformance : public ::testing::TestWithParam<StreamKind> {
 protected:
  ByteStreamConformance() : runner_(GetParam().make_runner()) {
    StreamPair pair = GetParam().make_pair(*runner_);
    trace_ = std::make_unique<::testing::ScopedTrace>(__FILE__, __LINE__, pair.first->peer());
    a_ = std::make_unique<StreamEnd>(*runner_, 0, std::move(pair.first));
    b_ = std::make_unique<StreamEnd>(*runner_, 1, std::move(pair.second));
  }

  void StartBoth() {
    a_->Start();
    b_->Start();
  }

  // Afterwards either may write without the other's help: with TLS they have shaken hands.
  void StartBothAndMeet() {
    StartBoth();
    ASSERT_TRUE(b_->WriteAll("hello"));
    ASSERT_EQ(a_->ReadExactly(5), "hello");
  }

  // Faults make everything slower, the sanitizers more so.
  size_t BulkBytes() const { return GetParam().has_faults ? 100'000 : 3'000'000; }

  void ExpectFailed(const IoResult& result, absl::StatusCode code, const std::string& text) {
    EXPECT_EQ(result.state, IoState::kFailed);
    EXPECT_EQ(result.bytes, 0u);
    EXPECT_EQ(result.error.code(), code) << result.error;
    EXPECT_THAT(std::string(result.error.message()), HasSubstr(text));
  }

  // Under faults it may be blocked before anything is full.
  size_t WriteUntilBlocked(StreamEnd& end) {
    const std::string piece(64 << 10, 'x');
    const iovec from = Over(piece);
    size_t written = 0;
    for (;;) {
      const IoResult result = end.TryWrite({&from, 1});
      written += result.bytes;
      if (result.state == IoState::kOk) continue;
      EXPECT_EQ(result.state, IoState::kBlocked);
      return written;
    }
  }

  std::unique_ptr<Runner> runner_;
  std::unique_ptr<::testing::ScopedTrace> trace_;
  std::unique_ptr<StreamEnd> a_;
  std::unique_ptr<StreamEnd> b_;
};

TEST_P(ByteStreamConformance, StartNotifiesBothWaysButNotInline) {
  bool in_start = false;
  a_->set_on_readable([&] { EXPECT_FALSE(in_start); });
  a_->set_on_writable([&] { EXPECT_FALSE(in_start); });
  a_->Run([&] {
    in_start = true;
    a_->StartHere();
    in_start = false;
  });
  a_->Destroy();
  b_->Start();
  EXPECT_TRUE(b_->AwaitReadable());
  EXPECT_TRUE(b_->AwaitWritable());
}

TEST_P(ByteStreamConformance, BytesArriveInOrder) {
  StreamPump writer(*a_, *runner_, {.seed = 11, .send_bytes = BulkBytes(), .expect_bytes = 0});
  StreamPump reader(*b_, *runner_, {.seed = 12, .send_bytes = 0, .expect_bytes = BulkBytes(), .expect_seed = 11});
  StartBoth();
  EXPECT_TRUE(runner_->Await([&] { return writer.done() && reader.done(); }));
  EXPECT_EQ(writer.problem(), "");
  EXPECT_EQ(reader.problem(), "");
}

TEST_P(ByteStreamConformance, BothDirectionsAtOnce) {
  const size_t bytes = BulkBytes();
  StreamPump a(*a_, *runner_, {.seed = 21, .send_bytes = bytes, .expect_bytes = bytes / 2, .expect_seed = 22});
  StreamPump b(*b_, *runner_, {.seed = 22, .send_bytes = bytes / 2, .expect_bytes = bytes, .expect_seed = 21});
  StartBoth();
  EXPECT_TRUE(runner_->Await([&] { return a.done() && b.done(); }));
  EXPECT_EQ(a.problem(), "");
  EXPECT_EQ(b.problem(), "");
}

TEST_P(ByteStreamConformance, OneByteReads) {
  StartBoth();
  const std::string text = PumpBytes(31, 0, 300);
  ASSERT_TRUE(a_->WriteAll(text));
  EXPECT_EQ(b_->ReadExactly(text.size(), /*at_once=*/1), text);
}

TEST_P(ByteStreamConformance, BlockedWriterResumesWhenThePeerReads) {
  StartBoth();
  const size_t written = WriteUntilBlocked(*a_);
  EXPECT_EQ(b_->ReadExactly(written), std::string(written, 'x'));
  ASSERT_TRUE(a_->WriteAll("resumed"));
  EXPECT_EQ(b_->ReadExactly(7), "resumed");
}

TEST_P(ByteStreamConformance, HalfCloseLeavesTheOtherDirectionOpen) {
  StartBoth();
  ASSERT_TRUE(a_->WriteAll("question"));
  a_->CloseWrite();
  a_->CloseWrite();
  EXPECT_EQ(b_->ReadAll(), "question");
  EXPECT_EQ(b_->last().state, IoState::kEnd);
  EXPECT_EQ(b_->ReadAll(), "") << "the end is read again";
  EXPECT_EQ(b_->last().state, IoState::kEnd);
  ASSERT_TRUE(b_->WriteAll("answer"));
  b_->CloseWrite();
  EXPECT_EQ(a_->ReadAll(), "answer");
  EXPECT_EQ(a_->last().state, IoState::kEnd);
}

TEST_P(ByteStreamConformance, AbortFailsBothEnds) {
  StartBoth();
  ASSERT_TRUE(a_->WriteAll("x"));
  ASSERT_EQ(b_->ReadExactly(1), "x");
  a_->Abort();
  char byte;
  const iovec one = {&byte, 1};
  const auto own_read = a_->Read({&one, 1});
  ASSERT_TRUE(own_read);
  ExpectFailed(*own_read, absl::StatusCode::kCancelled, "was aborted by this side");
  ExpectFailed(a_->WriteUntilFailure(), absl::StatusCode::kCancelled, "was aborted by this side");
  EXPECT_FALSE(a_->SendQueueEmpty());

  const auto read = b_->Read({&one, 1});
  ASSERT_TRUE(read);
  if (GetParam().has_reset) {
    ExpectFailed(*read, absl::StatusCode::kUnavailable, "connection to ");
  } else {
    EXPECT_TRUE(read->state == IoState::kFailed || read->state == IoState::kEnd);
  }
  ExpectFailed(b_->WriteUntilFailure(), absl::StatusCode::kUnavailable, "connection to ");
}

TEST_P(ByteStreamConformance, AbortWakesABlockedReader) {
  StartBoth();
  char byte;
  const iovec one = {&byte, 1};
  ASSERT_EQ(b_->TryRead({&one, 1}).state, IoState::kBlocked);
  a_->Abort();
  const auto read = b_->Read({&one, 1});
  ASSERT_TRUE(read) << "no notification";
  EXPECT_TRUE(read->state == IoState::kFailed || (read->state == IoState::kEnd && !GetParam().has_reset));
}

TEST_P(ByteStreamConformance, DestructionDeliversWhatWasWritten) {
  StartBoth();
  ASSERT_TRUE(a_->WriteAll("last words"));
  a_->Destroy();
  EXPECT_EQ(b_->ReadAll(), "last words");
  EXPECT_EQ(b_->last().state, IoState::kEnd);
}

TEST_P(ByteStreamConformance, DestructionWithUnreadBytesResets) {
  StartBoth();
  ASSERT_TRUE(b_->WriteAll("nobody reads this"));
  // So that they have arrived: the first byte was read.
  ASSERT_EQ(a_->ReadExactly(1), "n");
  ASSERT_TRUE(a_->WriteAll("why"));
  a_->Destroy();
  ExpectFailed(b_->WriteUntilFailure(), absl::StatusCode::kUnavailable, "connection to ");
  EXPECT_EQ(b_->ReadAll(), "why") << "what came before the failure can be read";
  ExpectFailed(b_->last(), absl::StatusCode::kUnavailable, "connection to ");
}

TEST_P(ByteStreamConformance, WritingToAClosedPeerIsUnavailableWithoutSigpipe) {
  StartBoth();
  const std::string peer = b_->stream().peer();
  const std::string name = peer.substr(0, peer.find(" with faults"));
  a_->Destroy();
  const IoResult result = b_->WriteUntilFailure();
  ExpectFailed(result, absl::StatusCode::kUnavailable, "connection to " + name);
  ExpectFailed(result, absl::StatusCode::kUnavailable, " failed: ");
  EXPECT_EQ(b_->WriteUntilFailure().error, result.error) << "every later Write says the same";
  b_->Run([] {
    sigset_t pending;
    sigpending(&pending);
    EXPECT_FALSE(sigismember(&pending, SIGPIPE));  // loop threads block signals: it would wait here
  });
}

TEST_P(ByteStreamConformance, ThousandsOfSpansSomeOfThemEmpty) {
  constexpr int kSpans = 3000;
  StartBoth();
  std::mt19937 random(41);
  const std::string text = PumpBytes(41, 0, kSpans * 7);
  std::vector<iovec> from;
  size_t size = 0;
  for (int i = 0; i < kSpans; ++i) {
    const size_t length = random() % 8;
    from.push_back(length == 0 ? iovec{nullptr, 0} : Over(std::string_view(text).substr(size, length)));
    size += length;
  }
  auto written = a_->Write(from, {.end_of_record = true});
  ASSERT_TRUE(written);
  ASSERT_EQ(written->state, IoState::kOk);
  if (!GetParam().has_faults && !absl::StrContains(a_->stream().peer(), "in-process")) {
    EXPECT_EQ(written->bytes, size);
  }
  ASSERT_TRUE(a_->WriteAll(std::string_view(text).substr(written->bytes, size - written->bytes)));

  std::string out(size, '\0');
  size_t done = 0;
  while (done < size) {
    std::vector<iovec> into;
    for (size_t at = done; at < size; at += 3) {
      into.push_back({nullptr, 0});
      into.push_back({out.data() + at, std::min<size_t>(3, size - at)});
    }
    auto read = b_->Read(into);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->state, IoState::kOk);
    done += read->bytes;
  }
  EXPECT_EQ(out, text.substr(0, size));
}

TEST_P(ByteStreamConformance, EmptySpansMoveNothingAndMeanNothing) {
  StartBoth();
  const iovec empty[] = {{nullptr, 0}, {nullptr, 0}};
  const auto expect_nothing = [&] {
    for (const absl::Span<const iovec> nothing : {absl::Span<const iovec>(), absl::MakeConstSpan(empty)}) {
      const auto written = a_->Write(nothing);
      const auto read = b_->Read(nothing);
      ASSERT_TRUE(written && read);
      EXPECT_EQ(written->state, IoState::kOk);
      EXPECT_EQ(written->bytes, 0u);
      EXPECT_EQ(read->state, IoState::kOk);
      EXPECT_EQ(read->bytes, 0u);
    }
  };
  expect_nothing();
  ASSERT_TRUE(a_->WriteAll("data"));
  expect_nothing();
  EXPECT_EQ(b_->ReadExactly(4), "data");
  b_->CloseWrite();
  EXPECT_EQ(a_->ReadAll(), "");
  const auto at_end = a_->Read({});
  ASSERT_TRUE(at_end);
  EXPECT_EQ(at_end->state, IoState::kOk);
}

TEST_P(ByteStreamConformance, DestructionRightAfterStart) {
  b_->Start();
  // In one task, so that the notifications that Start posted find nobody: StreamEnd fails the test if they come.
  a_->Run([&] {
    a_->StartHere();
    a_->DestroyHere();
  });
  a_->Run([] {});
  EXPECT_EQ(b_->ReadAll(), "");
  EXPECT_EQ(b_->last().state, IoState::kEnd);
}

TEST_P(ByteStreamConformance, DestructionWithEventsPending) {
  StartBothAndMeet();
  char byte;
  const iovec one = {&byte, 1};
  ASSERT_EQ(a_->TryRead({&one, 1}).state, IoState::kBlocked);
  // The loop of `a` is held up until the peer has written, then the stream goes before it hears of that.
  a_->Run([&] {
    EXPECT_TRUE(b_->WriteAll("event"));
    a_->DestroyHere();
  });
  a_->Run([] {});
}

TEST_P(ByteStreamConformance, DestructionInsideItsOwnCallback) {
  base::Mutex& mutex = runner_->mutex();
  bool destroyed = false;
  a_->set_on_readable([&] {
    a_->DestroyHere();
    base::MutexLock lock(mutex);
    destroyed = true;
    runner_->Changed();
  });
  StartBoth();
  EXPECT_TRUE(runner_->Await([&] { return destroyed; }));
  EXPECT_EQ(b_->ReadAll(), "");
  EXPECT_EQ(b_->last().state, IoState::kEnd);
}

TEST_P(ByteStreamConformance, SendQueueBecomesEmpty) {
  StartBothAndMeet();
  EXPECT_TRUE(a_->SendQueueEmpty());
  ASSERT_TRUE(a_->WriteAll("abc"));
  ASSERT_EQ(b_->ReadExactly(3), "abc");
  a_->CloseWrite();
  ASSERT_EQ(b_->ReadAll(), "");
  while (!a_->SendQueueEmpty()) {
  }
}

TEST_P(ByteStreamConformance, SendQueueIsNotEmptyWhileThePeerReadsNothing) {
  StartBothAndMeet();
  WriteUntilBlocked(*a_);
  const bool surely_full = !GetParam().has_faults;
  EXPECT_TRUE(!surely_full || !a_->SendQueueEmpty());
}

TEST_P(ByteStreamConformance, SaysWhoThePeerIs) {
  EXPECT_TRUE(a_->stream().same_host());
  EXPECT_TRUE(b_->stream().same_host());
  const std::string& peer = a_->stream().peer();
  EXPECT_TRUE(absl::StartsWith(peer, "ipv4:127.0.0.1:") || absl::StartsWith(peer, "ipv6:[::1]:") ||
              absl::StartsWith(peer, "unix:/") || absl::StartsWith(peer, "in-process"))
      << peer;
  const bool has_fd =
      !GetParam().has_faults && !absl::StrContains(GetParam().name, "Tls") && !absl::StartsWith(peer, "in-process");
  EXPECT_EQ(a_->stream().fd() >= 0, has_fd);
}

INSTANTIATE_TEST_SUITE_P(All, ByteStreamConformance, ::testing::ValuesIn(AllStreamKinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pagewire::transport::testing
