// The contract that every transport offers to sessions: two directions of bytes.
#pragma once

#include <pagewire/paths.h>
#include <pagewire/peer_identity.h>
#include <sys/uio.h>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pagewire::transport {

enum class IoState {
  kOk,        // bytes were moved, possibly fewer than asked for
  kBlocked,   // none could be moved now; an Observer call follows when it is worth trying again
  kEnd,       // reads: the peer closed its sending side and everything it wrote has been read
  kFailed,    // the stream is broken for good
  kMustCopy,  // not from Read and Write: nothing was moved; use these instead
};

struct IoResult {
  IoState state = IoState::kOk;
  size_t bytes = 0;    // above 0 only with kOk
  absl::Status error;  // not OK only with kFailed; shared with nobody, so it may go to another thread
  CopyReason reason = CopyReason::kPolicy;  // with kMustCopy: why

  // With kOk, from Read: there was no more. The observer will be told of what comes next, as after kBlocked, so that
  // whoever stops here saves a call. False may mean that nobody knows.
  bool drained = false;

  static IoResult Ok(size_t bytes) { return {IoState::kOk, bytes, absl::OkStatus()}; }
  static IoResult Blocked() { return {IoState::kBlocked, 0, absl::OkStatus()}; }
  static IoResult End() { return {IoState::kEnd, 0, absl::OkStatus()}; }
  static IoResult Failed(absl::Status error) { return {IoState::kFailed, 0, std::move(error)}; }
  static IoResult MustCopy(CopyReason reason) { return {IoState::kMustCopy, 0, absl::OkStatus(), reason}; }
};

struct WriteOptions {
  // The last byte of this write ends a record: transports that cut the stream into pieces cut it there (TCP: MSG_EOR).
  // Means nothing when the write was partial; say it again with the rest.
  bool end_of_record = false;
};

// What the kernel has let go of: the memory of one WriteZerocopy.
struct Released {
  uint64_t tag = 0;
  size_t bytes = 0;
  bool copied = false;  // the kernel copied them after all
};

// Room for pages to come, and for the bytes behind them.
struct MapRequest {
  char* address = nullptr;  // in an ArenaRange; nothing is mapped there
  size_t length = 0;        // whole pages
  absl::Span<char> behind;  // the next bytes in the stream after what was mapped are copied to here; may be empty
};

struct MapResult {
  IoState state = IoState::kOk;  // kMustCopy: this stream cannot map at all
  size_t mapped = 0;             // bytes at MapRequest::address, whole pages
  size_t behind = 0;             // bytes that followed them, in MapRequest::behind
  size_t must_read = 0;          // so many of the next bytes are not mappable: Read them
  size_t queued = 0;             // bytes that wait to be read or mapped now, those of must_read included
  absl::Status error;            // with kFailed

  static MapResult Without(IoState state) {
    MapResult result;
    result.state = state;
    return result;
  }
  static MapResult Failed(absl::Status error) {
    MapResult result = Without(IoState::kFailed);
    result.error = std::move(error);
    return result;
  }
};

// What a stream can do without copying.
struct PagePaths {
  bool zerocopy = false;                                // WriteZerocopy
  bool splice = false;                                  // WriteSpliced and WriteFile
  bool map = false;                                     // Map
  bool whole_page_segments = false;                     // what the peer sends without a copy arrives in whole pages
  CopyReason without = CopyReason::kKernelUnsupported;  // why those that it cannot do are not possible
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

  // Once, before anything below. OnReadable and OnWritable follow, each at least once. `observer` outlives the stream,
  // or its use of it, which Detach ends.
  virtual void Start(Observer* observer) = 0;

  // No Observer call comes any more. The rest goes on as before.
  virtual void Detach() = 0;

  // Reads into the spans in order; empty ones are allowed. kOk with 0 bytes only when there is no room at all. Fewer
  // bytes than asked for do not mean that there are no more.
  virtual IoResult Read(absl::Span<const iovec> into) = 0;

  // Writes from the spans in order; empty ones are allowed, and any number of them. kOk with 0 bytes only when there
  // is nothing to write. The bytes have been copied, or are owned by the kernel, when this returns. Not after
  // CloseWrite.
  virtual IoResult Write(absl::Span<const iovec> from, WriteOptions options) = 0;

  // Fixed when the connection is made.
  virtual PagePaths page_paths() const { return {}; }

  // Like Write, but the kernel may read the memory after this returned: until TakeReleased has named `tag` once for
  // each kOk with bytes. kMustCopy: not possible for these bytes now; Write them. kBlocked: OnWritable follows, maybe
  // because the kernel has let go of something. Only some bytes may be written, as with Write.
  virtual IoResult WriteZerocopy(absl::Span<const iovec> from, WriteOptions options, uint64_t tag);

  // Appends what the kernel has let go of since the last call, in any order. OnWritable is called when there is
  // something new. After Abort, all that is outstanding comes at once, or soon where a device still has it.
  virtual void TakeReleased(std::vector<Released>&) {}

  // Like Write, but what lies in whole pages is not copied at all where both ends are on one host: the peer's kernel,
  // and where it maps them its application, look at these pages. Private anonymous memory of ours, or pages that were
  // received. kMustCopy: not possible; Write them. After kBlocked or a partial kOk the next bytes to be written must be
  // the rest, in the same way.
  virtual IoResult WriteSpliced(absl::Span<const iovec> from);

  // Like Write, from a file, whose pages go by reference where the transport can. kEnd: the file has no byte at
  // `offset`, or it cannot be read there. kMustCopy: not possible; read it and Write. As after any write, the rest of a
  // partial one need not come from the file.
  virtual IoResult WriteFile(int file, uint64_t offset, size_t length);

  // How many kOk results of WriteZerocopy TakeReleased has still to name. A stream that is destroyed before they are
  // all named leaves nobody to say when the kernel lets go.
  virtual size_t unreleased() const { return 0; }

  // Maps the pages of the next bytes to where the request says, instead of copying them. kOk when any of mapped,
  // behind and must_read is above 0; kBlocked, kEnd and kFailed as from Read. kBlocked also when less than a page is
  // there: whole pages are waited for.
  virtual MapResult Map(const MapRequest& request);

  // No OnReadable is needed before this many bytes wait to be read; the end and failures are told as ever. For bytes
  // that are sure to come; 1 at the start. False: this stream tells of every byte all the same.
  virtual bool SetReadThreshold(size_t) { return false; }

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

  // Our end, in the same form; empty where it has no name.
  virtual std::string local() const { return {}; }

  // Version and cipher: "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty: none, or not agreed yet.
  virtual std::string encryption() const { return {}; }

  // Who the peer has proven to be: constant, but for TLS, which knows it once bytes could be read or written.
  virtual PeerIdentity identity() const { return {}; }

  // Both ends are on this host.
  virtual bool same_host() const = 0;

  // The socket, for paths that need one; -1 if there is none. Owned by the stream; not to be read from, written to or
  // closed beside it, except by its driver.
  virtual int fd() const = 0;
};

}  // namespace pagewire::transport
