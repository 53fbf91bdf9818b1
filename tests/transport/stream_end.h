// One end of a stream under test, driven from the test's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/byte_stream.h"
#include "transport/runner.h"

namespace pagewire::transport::testing {

class StreamEnd final : private ByteStream::Observer {
 public:
  // Takes a stream that lives on the runner's loop `index` and was not started.
  StreamEnd(Runner& runner, int index, std::unique_ptr<ByteStream> stream);
  ~StreamEnd();

  void Start();
  void Destroy();

  // Runs on the stream's loop and waits; inside, stream() may be used.
  void Run(std::function<void()> task) { runner_.Run(index_, std::move(task)); }
  ByteStream& stream() { return *stream_; }

  // One call to the stream, on its loop.
  IoResult TryRead(absl::Span<const iovec> into);
  IoResult TryWrite(absl::Span<const iovec> from, WriteOptions options = {});
  void CloseWrite();
  void Abort();
  bool SendQueueEmpty();

  // Repeats while blocked, each time after a notification; nullopt when none came.
  std::optional<IoResult> Read(absl::Span<const iovec> into);
  std::optional<IoResult> Write(absl::Span<const iovec> from, WriteOptions options = {});

  // The next `size` bytes, read at most `at_once` at a time; fewer when the stream ended or failed, see last().
  std::string ReadExactly(size_t size, size_t at_once = 1 << 20);
  // Until the stream ends or fails, see last().
  std::string ReadAll();
  // False when not all could be written, see last().
  bool WriteAll(std::string_view bytes);
  // Writes until that fails.
  IoResult WriteUntilFailure();
  // The result that ended the last of these.
  const IoResult& last() const { return last_; }

  // Notifications since the last call.
  int TakeReadable();
  int TakeWritable();
  bool AwaitReadable();
  bool AwaitWritable();

  // Called on the loop in place of counting.
  void set_on_readable(std::function<void()> action) { on_readable_ = std::move(action); }
  void set_on_writable(std::function<void()> action) { on_writable_ = std::move(action); }

  // Start and Destroy for where the caller is on the stream's loop already.
  void StartHere() { stream_->Start(this); }
  void DestroyHere() { stream_.reset(); }

 private:
  void OnReadable() override;
  void OnWritable() override;

  Runner& runner_;
  const int index_;
  std::unique_ptr<ByteStream> stream_;
  std::function<void()> on_readable_;
  std::function<void()> on_writable_;
  int readable_ = 0;  // guarded by runner_.mutex()
  int writable_ = 0;  // guarded by runner_.mutex()
  IoResult last_;
};

// A span over bytes, as the calls want it.
inline iovec Over(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace pagewire::transport::testing
