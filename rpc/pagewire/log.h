// What the library says outside of statuses, and where it goes.
#pragma once

#include <memory>
#include <string_view>

namespace pagewire {

enum class LogSeverity {
  kInfo,
  kWarning,  // it goes on, with less than was asked for
  kError,    // something was lost, or the process is about to end
};

// "info", "warning", "error". The result is a literal.
std::string_view LogSeverityName(LogSeverity severity);

// Takes messages from any thread, also from several at once. Must not call the library.
class LogSink {
 public:
  virtual ~LogSink() = default;

  // `message` is one line without its end. `file` and `line` say where in the library it comes from. The views are
  // valid during the call only.
  virtual void Write(LogSeverity severity, std::string_view message, std::string_view file, int line) = 0;
};

// From now on messages go to `sink`; null restores the default, standard error. Any thread, any time: a message that
// another thread is just writing may still reach the former sink, which lives until that is done.
void SetLogSink(std::shared_ptr<LogSink> sink);

// Writes one message to the sink. The library's own messages come this way; services may use it too. Leave `file` and
// `line` to their defaults.
void Log(LogSeverity severity, std::string_view message, const char* file = __builtin_FILE(),
         int line = __builtin_LINE());

}  // namespace pagewire
