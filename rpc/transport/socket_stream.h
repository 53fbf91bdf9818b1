// A connected TCP or Unix stream socket as a ByteStream.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "transport/byte_stream.h"
#include "transport/epoll_loop.h"
#include "transport/readiness.h"
#include "transport/socket_address.h"

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
  IoResult Read(absl::Span<const iovec> into) override;
  IoResult Write(absl::Span<const iovec> from, WriteOptions options) override;
  void CloseWrite() override;
  void Abort() override;
  bool SendQueueEmpty() override;
  const std::string& peer() const override { return peer_; }
  bool same_host() const override { return same_host_; }
  int fd() const override { return fd_.get(); }

 private:
  void OnFdEvents(uint32_t events) override;
  absl::Status Error(const char* action, int error) const;

  EpollLoop& loop_;
  const base::UniqueFd fd_;
  const SocketAddress local_;
  const bool is_tcp_;
  const bool same_host_;
  const std::string peer_;
  bool registered_ = false;
  bool write_closed_ = false;
  absl::Status read_error_;   // of the first Read that failed
  absl::Status write_error_;  // of the first Write that failed
  Readiness readiness_;
};

}  // namespace pagewire::transport
