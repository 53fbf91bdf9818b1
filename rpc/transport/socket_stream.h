// A connected TCP or Unix stream socket as a ByteStream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "transport/address.h"
#include "transport/byte_stream.h"
#include "transport/epoll_loop.h"
#include "transport/readiness.h"

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
  IoResult Fail(const char* action, int error);

  EpollLoop& loop_;
  const base::UniqueFd fd_;
  const std::string peer_;
  const bool is_tcp_;
  const bool same_host_;
  Observer* observer_ = nullptr;
  absl::Status error_;  // of everything after the first failure
  bool write_closed_ = false;
  Readiness readiness_;
};

}  // namespace pagewire::transport
