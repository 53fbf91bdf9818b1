// What the library logs while a test looks.
#pragma once

#include <pagewire/log.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace pagewire::testing {

// Takes the log from its beginning to its end.
class LogLines {
 public:
  LogLines() : sink_(std::make_shared<Sink>()) { SetLogSink(sink_); }
  ~LogLines() { SetLogSink(nullptr); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  // "warning: what was said".
  std::vector<std::string> Lines() const {
    base::MutexLock lock(sink_->mutex);
    return sink_->lines;
  }

 private:
  struct Sink final : LogSink {
    void Write(LogSeverity severity, std::string_view message, std::string_view, int) override {
      base::MutexLock lock(mutex);
      lines.push_back(std::string(LogSeverityName(severity)) + ": " + std::string(message));
    }
    base::Mutex mutex;
    std::vector<std::string> lines ABSL_GUARDED_BY(mutex);
  };
  const std::shared_ptr<Sink> sink_;
};

}  // namespace pagewire::testing
