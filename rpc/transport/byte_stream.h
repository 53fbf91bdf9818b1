// The contract that every transport offers to sessions: two directions of bytes.
#pragma once

#include <absl/status/status.h>
#include <absl/types/span.h>
#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <utility>

namespace pagewire::transport {

enum class IoState {
  kOk,       // bytes were moved, possibly fewer than asked for
  kBlocked,  // none could be moved now; an Observer call follows when it is worth trying again
  kEnd,      // reads only: the peer closed its sending side and everything it wrote has been read
  kFailed,   // the stream is broken for good
};

struct IoResult {
  IoState state = IoState::kOk;
  size_t bytes = 0;    // above 0 only with kOk
  absl::Status error;  // not OK only with kFailed; shared with nobody, so it may go to another thread

  static IoResult Ok(size_t bytes) { return {IoState::kOk, bytes, absl::OkStatus()}; }
  static IoResult Blocked() { return {IoState::kBlocked, 0, absl::OkStatus()}; }
  static IoResult End() { return {IoState::kEnd, 0, absl::OkStatus()}; }
  static IoResult Failed(absl::Status error) { return {IoState::kFailed, 0, std::move(error)}; }
};

struct WriteOptions {
  // The last byte of this write ends a record: transports that cut the stream into pieces cut it there (TCP: MSG_EOR).
  // Means nothing when the write was partial; say it again with the rest.
  bool end_of_record = false;
};

// Reliable, ordered, non-blocking. Constructed in any thread; then everything, destruction included, is for the
// stream's loop only. (A stream that was not started, or whose loop has stopped, may be destroyed in any thread.)
//
// Failures are UNAVAILABLE with the peer and what the system said: reset, unreachable, timed out, peer gone. Once Write
// failed, every Write fails with that error, and Read returns what had come before and then fails with it too: a peer
// that refuses to read on may have said why. Once Read failed, both do. SIGPIPE is never raised.
class ByteStream {
 public:
  // Called on the stream's loop, never inside a call to the stream. A call may come without a reason and says nothing
  // about how many bytes there are: read, or write, until kBlocked. Failure and the peer's end count as readable,
  // failure as writable. The stream may be destroyed inside a call.
  class Observer {
   public:
    virtual void OnReadable() = 0;
    virtual void OnWritable() = 0;

   protected:
    ~Observer() = default;
  };

  // Closes in the background what CloseWrite has not: what was written is still delivered, unless bytes from the peer
  // are left unread, which makes it an abort. No Observer call comes during or after.
  virtual ~ByteStream() = default;

  // Once, before anything below. OnReadable and OnWritable follow, each at least once. `observer` outlives the stream.
  virtual void Start(Observer* observer) = 0;

  // Reads into the spans in order; empty ones are allowed. kOk with 0 bytes only when there is no room at all. Fewer
  // bytes than asked for do not mean that there are no more.
  virtual IoResult Read(absl::Span<const iovec> into) = 0;

  // Writes from the spans in order; empty ones are allowed, and any number of them. kOk with 0 bytes only when there
  // is nothing to write. The bytes have been copied, or are owned by the kernel, when this returns. Not after
  // CloseWrite.
  virtual IoResult Write(absl::Span<const iovec> from, WriteOptions options) = 0;

  // The peer reads kEnd after what was written. Reading goes on. Calls after the first do nothing.
  virtual void CloseWrite() = 0;

  // Breaks the stream: what was written may not arrive, the peer's calls fail (TCP: RST; a Unix socket has none, its
  // peer may read kEnd instead). Later Reads and Writes return kFailed with CANCELLED. Observer calls may still come.
  virtual void Abort() = 0;

  // Whether the peer's transport has acknowledged every written byte and the end, if that was written. Some know it
  // only once the peer has read them. False once the stream failed. Nobody is told when it changes: ask again.
  virtual bool SendQueueEmpty() = 0;

  // For messages: "ipv4:127.0.0.1:7070", "unix:/run/x", "in-process".
  virtual const std::string& peer() const = 0;

  // Both ends are on this host.
  virtual bool same_host() const = 0;

  // The socket, for paths that need one; -1 if there is none. Owned by the stream; not to be read from, written to or
  // closed beside it, except by its driver.
  virtual int fd() const = 0;
};

}  // namespace pagewire::transport
