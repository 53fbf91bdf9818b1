// A connected TCP or Unix stream socket as a ByteStream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "transport/byte_stream.h"
#include "transport/epoll_loop.h"
#include "transport/readiness.h"
#include "transport/socket_address.h"
#include "transport/splice_pipe.h"
#include "transport/zerocopy_sends.h"

namespace pagewire::transport {

// What listeners and connectors hand over. The socket is non-blocking and belongs to no loop yet.
struct ConnectedSocket {
  base::UniqueFd fd;
  SocketAddress peer;
};

class SocketStream final : public ByteStream, private FdHandler {
 public:
  // `loop` outlives the stream.
  SocketStream(ConnectedSocket socket, EpollLoop& loop);
  ~SocketStream() override;

  void Start(Observer* observer) override;
  void Detach() override { readiness_.Start(nullptr); }
  IoResult Read(absl::Span<const iovec> into) override;
  IoResult Write(absl::Span<const iovec> from, WriteOptions options) override;
  PagePaths page_paths() const override { return page_paths_; }
  IoResult WriteZerocopy(absl::Span<const iovec> from, WriteOptions options, uint64_t tag) override;
  IoResult WriteSpliced(absl::Span<const iovec> from) override;
  IoResult WriteFile(int file, uint64_t offset, size_t length) override;
  void TakeReleased(std::vector<Released>& released) override;
  size_t unreleased() const override { return sends_.outstanding(); }
  MapResult Map(const MapRequest& request) override;
  bool SetReadThreshold(size_t bytes) override;
  void CloseWrite() override;
  void Abort() override;
  bool SendQueueEmpty() override;
  const std::string& peer() const override { return peer_; }
  std::string local() const override { return local_.ToString(); }
  bool same_host() const override { return same_host_; }
  PeerIdentity identity() const override;
  int fd() const override { return fd_.get(); }

 private:
  // What becomes of one ReadNow.
  struct Attempt {
    bool read = false;  // there were bytes (an end is there again and again)
    bool gone = false;  // the stream was destroyed meanwhile
  };

  void OnFdEvents(uint32_t events) override;
  bool ReadNow() override;
  absl::Status Error(const char* action, int error) const;
  bool EnableZerocopy();
  bool DrainErrorQueue();
  MapResult MapError(int error);
  void FailRead(absl::Status error);

  EpollLoop& loop_;
  const base::UniqueFd fd_;
  const SocketAddress local_;
  const bool is_tcp_;
  const bool same_host_;
  const PagePaths page_paths_;
  const std::string peer_;
  bool registered_ = false;
  bool write_closed_ = false;
  absl::Status read_error_;   // of the first Read that failed
  absl::Status write_error_;  // of the first Write that failed
  bool peer_closed_ = false;  // or the connection is broken: no further byte will come

  enum class Zerocopy : uint8_t { kUntried, kOn, kRefused };
  Zerocopy zerocopy_ = Zerocopy::kUntried;  // SO_ZEROCOPY
  ZerocopySends sends_;
  std::vector<Released> released_;  // not taken yet
  SplicePipe pipe_;

  size_t read_threshold_ = 1;  // SO_RCVLOWAT
  size_t queued_ = 0;          // at least so many bytes wait to be read
  Attempt* attempt_ = nullptr;
  Readiness readiness_;
};

}  // namespace pagewire::transport
