#include "peers/socket_echo.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "floor_socket.h"

namespace pagewire::bench {
namespace {

constexpr size_t kLengthBytes = sizeof(uint32_t);

uint32_t LengthAt(const char* message) {
  uint32_t length;
  std::memcpy(&length, message, sizeof(length));
  return length;
}

}  // namespace

size_t EchoReader::Read(const char*& messages, int& count) {
  count = 0;
  for (;;) {
    size_t whole = 0;
    while (end_ - begin_ - whole >= kLengthBytes) {
      const size_t size = kLengthBytes + LengthAt(&buffer_[begin_ + whole]);
      if (end_ - begin_ - whole < size) {
        if (size > buffer_.size()) FloorDie("a message that is too long");
        break;
      }
      whole += size;
      ++count;
    }
    if (whole > 0) {
      messages = &buffer_[begin_];
      begin_ += whole;
      return whole;
    }
    std::memmove(buffer_.data(), &buffer_[begin_], end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const ssize_t got = recv(fd_, &buffer_[end_], buffer_.size() - end_, 0);
    if (got <= 0) return 0;
    end_ += got;
  }
}

void ServeEcho(int fd) {
  EchoReader reader(fd);
  const char* messages = nullptr;
  for (int count = 0;;) {
    const size_t size = reader.Read(messages, count);
    if (size == 0 || !FloorSendAll(fd, messages, size, 0)) break;
  }
  close(fd);
}

EchoClient::EchoClient(int fd, size_t message_bytes, int inflight, Recorder& recorder)
    : fd_(fd), message_bytes_(message_bytes), recorder_(recorder), reader_(fd) {
  const auto length = static_cast<uint32_t>(message_bytes);
  for (int i = 0; i < inflight; ++i) {
    const char* const bytes = reinterpret_cast<const char*>(&length);
    requests_.insert(requests_.end(), bytes, bytes + sizeof(length));
    requests_.insert(requests_.end(), message_bytes, 'x');
  }
  if (!Send(inflight)) FloorDie("the server has gone");
}

EchoClient::~EchoClient() { close(fd_); }

bool EchoClient::Send(int count) {
  began_.insert(began_.end(), count, Recorder::Now());
  return FloorSendAll(fd_, requests_.data(), count * (kLengthBytes + message_bytes_), 0);
}

bool EchoClient::Next() {
  const char* messages = nullptr;
  int count = 0;
  const size_t size = reader_.Read(messages, count);
  if (size != count * (kLengthBytes + message_bytes_) || count == 0) {
    recorder_.Failed("echo over a socket: the server has gone, or has sent something else than it was sent");
    return false;
  }
  for (int i = 0; i < count; ++i) {
    recorder_.Ended(began_.front(), 0);
    began_.pop_front();
  }
  if (Send(count)) return true;
  recorder_.Failed("echo over a socket: the server has gone");
  return false;
}

}  // namespace pagewire::bench
