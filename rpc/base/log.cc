#include <pagewire/log.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "base/mutex.h"

namespace pagewire {
namespace {

// Standard error, with time and source position.
class StderrSink final : public LogSink {
 public:
  // Not in spdlog's registry: the process may have loggers of its own there, and may drop them all.
  StderrSink() : logger_("pagewire", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
    logger_.set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ pagewire %v");
    logger_.flush_on(spdlog::level::info);
  }

  void Write(LogSeverity severity, std::string_view message, std::string_view file, int line) override {
    const std::string_view base_name = file.substr(file.rfind('/') + 1);  // npos + 1 is 0
    logger_.log(Level(severity), "{}:{} {}", base_name, line, message);
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

// What SetLogSink sets; null: the default.
struct CurrentSink {
  base::Mutex mutex;
  std::shared_ptr<LogSink> sink ABSL_GUARDED_BY(mutex);
};

// Never destroyed: messages may be written while the process exits.
CurrentSink& Current() {
  static CurrentSink& current = *new CurrentSink();
  return current;
}

LogSink& DefaultSink() {
  static LogSink& sink = *new StderrSink();
  return sink;
}

}  // namespace

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

void SetLogSink(std::shared_ptr<LogSink> sink) {
  CurrentSink& current = Current();
  base::MutexLock lock(current.mutex);
  current.sink.swap(sink);  // the former sink is destroyed with the parameter, when the lock is free
}

void Log(LogSeverity severity, std::string_view message, const char* file, int line) {
  std::shared_ptr<LogSink> sink;
  {
    CurrentSink& current = Current();
    base::MutexLock lock(current.mutex);
    sink = current.sink;
  }
  (sink != nullptr ? *sink : DefaultSink()).Write(severity, message, file, line);
}

}  // namespace pagewire
