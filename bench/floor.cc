#include "floor.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/time/clock.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "base/string_view.h"
#include "floor_socket.h"
#include "server_process.h"
#include "transport/error_queue.h"

namespace pagewire::bench {
namespace {

constexpr absl::Duration kWarmUp = absl::Milliseconds(500);

// Sends one payload after the other, each from a buffer of its own.
class FloorSender {
 public:
  FloorSender(const FloorOptions& options, int port) : options_(options), fd_(FloorConnect(port, options.tuned)) {
    for (int i = 0; i < options.inflight; ++i) buffers_.push_back(MakeFloorMemory(options.payload_bytes));
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

  FloorSender(const FloorSender&) = delete;
  FloorSender& operator=(const FloorSender&) = delete;
  ~FloorSender() {
    if (options_.send == SendPath::kFixed) io_uring_queue_exit(&ring_);
    close(fd_);
    close(pipe_[0]);
    close(pipe_[1]);
  }

  // One payload; then waits until at most inflight - 1 are unacknowledged.
  void Next() {
    char* const buffer = buffers_[sent_++ % buffers_.size()].get();
    if (options_.touch) std::memset(buffer, static_cast<int>(sent_), options_.payload_bytes);
    FloorSendAll(fd_, &header_, sizeof(header_), options_.send == SendPath::kCopy ? MSG_MORE : MSG_EOR);
    for (size_t at = 0; at < options_.payload_bytes; at += kFloorChunkBytes) {
      Send(buffer + at, std::min<size_t>(kFloorChunkBytes, options_.payload_bytes - at));
    }
    if (options_.until_queue_empty) AwaitEmptyQueue();
    TakeCompletions(outstanding_ > 0 && options_.inflight == 1);
    while (sent_ - acknowledged() >= static_cast<uint64_t>(options_.inflight)) TakeAck();
  }

  uint64_t acknowledged() const { return acknowledged_bytes_ / options_.payload_bytes; }

 private:
  void TakeAck() {
    FloorAck ack;
    FloorReceiveAll(fd_, &ack, sizeof(ack));
    acknowledged_bytes_ += ack.bytes;
  }

  void Send(const char* data, size_t size) {
    if (options_.receive == ReceivePath::kMap) {
      while (sent_bytes_ + size - acknowledged_bytes_ > kFloorWindowBytes && sent_bytes_ > acknowledged_bytes_)
        TakeAck();
    }
    sent_bytes_ += size;
    switch (options_.send) {
      case SendPath::kZerocopy:
        ++outstanding_;
        return FloorSendAll(fd_, data, size, MSG_ZEROCOPY | MSG_EOR);
      case SendPath::kFixed:
        return SendFixed(data, size);
      case SendPath::kSplice:
        return SendSpliced(data, size);
      default:
        return FloorSendAll(fd_, data, size, 0);
    }
  }

  void SendSpliced(const char* data, size_t size) {
    while (size > 0) {
      const iovec from = {const_cast<char*>(data), size};
      const ssize_t in = vmsplice(pipe_[1], &from, 1, 0);
      if (in <= 0) FloorDie("vmsplice");
      for (ssize_t left = in; left > 0;) {
        const ssize_t out = splice(pipe_[0], nullptr, fd_, nullptr, left, SPLICE_F_MOVE);
        if (out <= 0) FloorDie("splice");
        left -= out;
      }
      data += in;
      size -= in;
    }
  }

  void Register() {
    if (io_uring_queue_init(256, &ring_, 0) != 0) FloorDie("io_uring_queue_init");
    std::vector<iovec> all;
    for (const FloorMemory& buffer : buffers_) all.push_back({buffer.get(), options_.payload_bytes});
    if (io_uring_register_buffers(&ring_, all.data(), all.size()) != 0) FloorDie("io_uring_register_buffers");
  }

  void SendFixed(const char* data, size_t size) {
    const unsigned index = (sent_ - 1) % buffers_.size();
    while (size > 0) {
      io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
      io_uring_prep_send_zc_fixed(entry, fd_, data, size, MSG_EOR | MSG_WAITALL | MSG_NOSIGNAL, 0, index);
      ++outstanding_;
      io_uring_submit(&ring_);
      int result = 0;
      while (!TakeOne(&result)) {
      }
      if (result <= 0) FloorDie("IORING_OP_SEND_ZC");
      data += result;
      size -= result;
    }
  }

  // One completion; true if it is a result and not a notification.
  bool TakeOne(int* result) {
    io_uring_cqe* completion = nullptr;
    if (io_uring_wait_cqe(&ring_, &completion) != 0) FloorDie("io_uring_wait_cqe");
    const bool notification = (completion->flags & IORING_CQE_F_NOTIF) != 0;
    if (notification) --outstanding_;
    *result = completion->res;
    io_uring_cqe_seen(&ring_, completion);
    return !notification;
  }

  void TakeCompletions(bool all) {
    if (options_.send == SendPath::kFixed) {
      int result = 0;
      while (outstanding_ > 0 && (all || io_uring_cq_ready(&ring_) > 0)) TakeOne(&result);
    } else if (options_.send == SendPath::kZerocopy) {
      transport::ZerocopyCompletion completion;
      while (transport::NextZerocopyCompletion(fd_, completion)) outstanding_ -= completion.last - completion.first + 1;
    }
  }

  void AwaitEmptyQueue() const {
    for (int queued = 1; queued > 0;) {
      if (ioctl(fd_, SIOCOUTQ, &queued) != 0) FloorDie("SIOCOUTQ");
    }
  }

  const FloorOptions& options_;
  const int fd_;
  std::vector<FloorMemory> buffers_;
  FloorHeader header_;
  int pipe_[2] = {-1, -1};
  io_uring ring_ = {};
  uint64_t outstanding_ = 0;  // sends that the kernel has not let go of
  uint64_t sent_ = 0;
  uint64_t sent_bytes_ = 0;
  uint64_t acknowledged_bytes_ = 0;
};

std::string Field(const char* name, double value) {
  return absl::StrCat(", \"", name, "\": ", absl::StrFormat("%.3f", value));
}

}  // namespace

std::string RunFloor(const FloorOptions& options) {
  int port = 0;
  const ServerProcess receiver([&](int& its_port) -> std::shared_ptr<void> {
    const int listener = FloorListen(its_port, options.tuned);
    return std::make_shared<std::thread>([listener, &options] {
      FloorReceive(listener, options.tuned, options.receive == ReceivePath::kMap, options.payload_bytes, options.touch);
    });
  });
  port = receiver.port();
  FloorSender sender(options, port);
  for (const absl::Time end = absl::Now() + kWarmUp; absl::Now() < end;) sender.Next();
  const uint64_t own = OwnUsage().cpu_us, theirs = receiver.usage().cpu_us, before = sender.acknowledged();
  const absl::Time began = absl::Now(), end = began + options.duration;
  while (absl::Now() < end) sender.Next();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  const double calls = static_cast<double>(sender.acknowledged() - before);
  const double megabytes = calls * options.payload_bytes / 1e6;
  const double own_cpu = OwnUsage().cpu_us - own, their_cpu = receiver.usage().cpu_us - theirs;
  return absl::StrCat(
      "{\"workload\": \"floor\", \"payload_bytes\": ", options.payload_bytes, ", \"inflight\": ", options.inflight,
      ", \"touch\": ", options.touch ? 1 : 0, Field("calls_per_s", calls / seconds),
      Field("gb_per_s", megabytes / 1e3 / seconds), Field("client_cpu_us_per_mb", own_cpu / megabytes),
      Field("server_cpu_us_per_mb", their_cpu / megabytes),
      Field("total_cpu_us_per_mb", (own_cpu + their_cpu) / megabytes), ", \"paths\": \"",
      base::ToAbsl(SendPathName(options.send)), "/", base::ToAbsl(ReceivePathName(options.receive)),
      options.until_queue_empty ? ", until SIOCOUTQ is empty" : "", options.tuned ? "" : ", untuned", "\"}");
}

}  // namespace pagewire::bench
