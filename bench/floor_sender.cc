#include "floor_sender.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "harness/bytes.h"
#include "transport/error_queue.h"

namespace pagewire::bench {

FloorSender::FloorSender(const FloorOptions& options, int fd) : options_(options), fd_(fd) {
  const bool blocks = options.block_bytes > 0 && options.block_bytes < options.payload_bytes;
  for (int i = 0; i < (blocks ? 1 : options.inflight); ++i) {
    buffers_.push_back(MakeFloorMemory(blocks ? options.block_bytes : options.payload_bytes));
  }
  header_.payload_bytes = options.payload_bytes;
  switch (options.send) {
    case SendPath::kZerocopy: {
      const int on = 1;
      if (setsockopt(fd_, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) != 0) FloorDie("SO_ZEROCOPY");
      break;
    }
    case SendPath::kFixed:
      Register();
      break;
    case SendPath::kSplice:
      if (pipe(pipe_) != 0) FloorDie("pipe");
      fcntl(pipe_[1], F_SETPIPE_SZ, 2 * kFloorChunkBytes);
      break;
    default:
      break;
  }
}

FloorSender::~FloorSender() {
  if (options_.send == SendPath::kFixed) io_uring_queue_exit(&ring_);
  close(fd_);
  close(pipe_[0]);
  close(pipe_[1]);
}

bool FloorSender::Next() {
  char* const buffer = buffers_[sent_++ % buffers_.size()].get();
  const bool blocks = options_.block_bytes > 0 && options_.block_bytes < options_.payload_bytes;
  if (options_.touch && !blocks) FillBytes(buffer, options_.payload_bytes, sent_);
  const FloorHeader* header = &header_;
  const size_t step = blocks ? options_.block_bytes : kFloorChunkBytes;
  for (size_t at = 0; at < options_.payload_bytes; at += step) {
    const size_t size = std::min<size_t>(step, options_.payload_bytes - at);
    if (options_.touch && blocks) FillBytes(buffer, size, sent_);
    if (!Send(blocks ? buffer : buffer + at, size, header)) return false;
    header = nullptr;
  }
  if (options_.until_queue_empty) AwaitEmptyQueue();
  TakeCompletions(outstanding_ > 0 && options_.inflight == 1);
  while (sent_ - acknowledged() >= static_cast<uint64_t>(options_.inflight)) {
    if (!TakeAck()) return false;
  }
  return true;
}

bool FloorSender::TakeAck() {
  FloorAck ack;
  if (!FloorReceiveAll(fd_, &ack, sizeof(ack))) return false;
  acknowledged_bytes_ += ack.bytes;
  return true;
}

bool FloorSender::Send(const char* data, size_t size, const FloorHeader* header) {
  if (options_.receive == ReceivePath::kMap) {
    while (sent_bytes_ + size - acknowledged_bytes_ > kFloorWindowBytes && sent_bytes_ > acknowledged_bytes_) {
      if (!TakeAck()) return false;
    }
  }
  sent_bytes_ += size;
  if (options_.send == SendPath::kCopy) {
    return FloorSendAll(fd_, header, header == nullptr ? 0 : sizeof(*header), data, size);
  }
  if (header != nullptr && !FloorSendAll(fd_, header, sizeof(*header), MSG_EOR)) return false;
  switch (options_.send) {
    case SendPath::kZerocopy:
      ++outstanding_;
      return FloorSendAll(fd_, data, size, MSG_ZEROCOPY | MSG_EOR);
    case SendPath::kFixed:
      return SendFixed(data, size);
    default:
      return SendSpliced(data, size);
  }
}

bool FloorSender::SendSpliced(const char* data, size_t size) {
  while (size > 0) {
    const iovec from = {const_cast<char*>(data), size};
    const ssize_t in = vmsplice(pipe_[1], &from, 1, 0);
    if (in <= 0) FloorDie("vmsplice");
    for (ssize_t left = in; left > 0;) {
      const ssize_t out = splice(pipe_[0], nullptr, fd_, nullptr, left, SPLICE_F_MOVE);
      if (out <= 0) return false;
      left -= out;
    }
    data += in;
    size -= in;
  }
  return true;
}

void FloorSender::Register() {
  if (io_uring_queue_init(256, &ring_, 0) != 0) FloorDie("io_uring_queue_init");
  std::vector<iovec> all;
  for (const FloorMemory& buffer : buffers_) all.push_back({buffer.get(), options_.payload_bytes});
  if (io_uring_register_buffers(&ring_, all.data(), all.size()) != 0) FloorDie("io_uring_register_buffers");
}

bool FloorSender::SendFixed(const char* data, size_t size) {
  const unsigned index = (sent_ - 1) % buffers_.size();
  while (size > 0) {
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
    io_uring_prep_send_zc_fixed(entry, fd_, data, size, MSG_EOR | MSG_WAITALL | MSG_NOSIGNAL, 0, index);
    ++outstanding_;
    io_uring_submit(&ring_);
    int result = 0;
    while (!TakeOne(&result)) {
    }
    if (result <= 0) return false;
    data += result;
    size -= result;
  }
  return true;
}

bool FloorSender::TakeOne(int* result) {
  io_uring_cqe* completion = nullptr;
  if (io_uring_wait_cqe(&ring_, &completion) != 0) FloorDie("io_uring_wait_cqe");
  const bool notification = (completion->flags & IORING_CQE_F_NOTIF) != 0;
  if (notification) --outstanding_;
  *result = completion->res;
  io_uring_cqe_seen(&ring_, completion);
  return !notification;
}

void FloorSender::TakeCompletions(bool all) {
  if (options_.send == SendPath::kFixed) {
    int result = 0;
    while (outstanding_ > 0 && (all || io_uring_cq_ready(&ring_) > 0)) TakeOne(&result);
  } else if (options_.send == SendPath::kZerocopy) {
    transport::ZerocopyCompletion completion;
    while (transport::NextZerocopyCompletion(fd_, completion)) outstanding_ -= completion.last - completion.first + 1;
  }
}

void FloorSender::AwaitEmptyQueue() const {
  for (int queued = 1; queued > 0;) {
    if (ioctl(fd_, SIOCOUTQ, &queued) != 0) FloorDie("SIOCOUTQ");
  }
}

}  // namespace pagewire::bench
