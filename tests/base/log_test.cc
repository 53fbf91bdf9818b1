#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/log.h>

#include <string>
#include <thread>
#include <vector>

#include "base/die.h"
#include "base/mutex.h"

namespace pagewire {
namespace {

using ::testing::HasSubstr;

class Recorder final : public LogSink {
 public:
  void Write(LogSeverity severity, std::string_view message, std::string_view file, int line) override {
    base::MutexLock lock(mutex_);
    lines_.push_back(std::string(LogSeverityName(severity)) + ": " + std::string(message));
    file_ = file;
    line_ = line;
  }

  std::vector<std::string> lines() {
    base::MutexLock lock(mutex_);
    return lines_;
  }

  std::string file_;
  int line_ = 0;

 private:
  base::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

TEST(LogTest, ReachesTheSinkWithItsPlace) {
  const auto recorder = std::make_shared<Recorder>();
  SetLogSink(recorder);
  Log(LogSeverity::kWarning, "less {} than %s asked for");
  const int line = __LINE__ - 1;
  SetLogSink(nullptr);
  EXPECT_THAT(recorder->lines(), ::testing::ElementsAre("warning: less {} than %s asked for"));
  EXPECT_THAT(recorder->file_, HasSubstr("log_test.cc"));
  EXPECT_EQ(recorder->line_, line);
}

TEST(LogTest, WritesToStandardErrorByDefault) {
  ::testing::internal::CaptureStderr();
  Log(LogSeverity::kInfo, "braces {} are not a format");
  Log(LogSeverity::kError, "and this is serious");
  const std::string written = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, HasSubstr("info pagewire log_test.cc:"));
  EXPECT_THAT(written, HasSubstr(" braces {} are not a format\n"));
  EXPECT_THAT(written, HasSubstr("error pagewire log_test.cc:"));
}

TEST(LogTest, TheFormerSinkIsReleasedOutsideTheLock) {
  class LogsAtItsEnd final : public LogSink {
   public:
    ~LogsAtItsEnd() override { Log(LogSeverity::kInfo, "going"); }
    void Write(LogSeverity, std::string_view, std::string_view, int) override {}
  };
  SetLogSink(std::make_shared<LogsAtItsEnd>());
  const auto recorder = std::make_shared<Recorder>();
  SetLogSink(recorder);
  SetLogSink(nullptr);
  EXPECT_THAT(recorder->lines(), ::testing::ElementsAre("info: going"));
}

TEST(LogTest, SinksChangeWhileOthersLog) {
  std::thread writer([] {
    for (int i = 0; i < 1000; ++i) Log(LogSeverity::kInfo, "x");
  });
  SetLogSink(std::make_shared<Recorder>());
  for (int i = 0; i < 100; ++i) SetLogSink(std::make_shared<Recorder>());
  writer.join();
  SetLogSink(nullptr);
}

TEST(DieDeathTest, SaysWhyAndAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(base::Die("no way on"), "error pagewire log_test.cc:[0-9]+ no way on");
}

}  // namespace
}  // namespace pagewire
