#include <pagewire/log.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "base/mutex.h"

namespace pagewire {
namespace {

class StandardErrorSink final : public LogSink {
 public:
  StandardErrorSink() : logger_("pagewire", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {}

  void Write(LogSeverity severity, std::string_view message, std::string_view file, int line) override {
    logger_.log(Level(severity), "{} ({}:{})", message, file, line);
  }

 private:
  static spdlog::level::level_enum Level(LogSeverity severity) {
    switch (severity) {
      case LogSeverity::kInfo:
        return spdlog::level::info;
      case LogSeverity::kWarning:
        return spdlog::level::warn;
      case LogSeverity::kError:
        break;
    }
    return spdlog::level::err;
  }

  spdlog::logger logger_;
};

struct Current {
  base::Mutex mutex;
  std::shared_ptr<LogSink> sink ABSL_GUARDED_BY(mutex);
};

// Never destroyed: lines may be written during exit.
Current& TheSink() {
  static Current& current = *new Current();
  return current;
}

}  // namespace

void SetLogSink(std::shared_ptr<LogSink> sink) {
  Current& current = TheSink();
  base::MutexLock lock(current.mutex);
  std::swap(current.sink, sink);
}

std::string_view LogSeverityName(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kInfo:
      return "info";
    case LogSeverity::kWarning:
      return "warning";
    case LogSeverity::kError:
      break;
  }
  return "error";
}

void Log(LogSeverity severity, std::string_view message, const char* file, int line) {
  Current& current = TheSink();
  std::shared_ptr<LogSink> sink;
  {
    base::MutexLock lock(current.mutex);
    if (current.sink == nullptr) current.sink = std::make_shared<StandardErrorSink>();
    sink = current.sink;
  }
  sink->Write(severity, message, file, line);
}

}  // namespace pagewire
