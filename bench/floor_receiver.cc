#include "floor_receiver.h"

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "transport/zerocopy_receive.h"

namespace pagewire::bench {
namespace {

constexpr size_t kPageBytes = 4096;

void SetLowWater(int fd, size_t bytes) {
  const int value = static_cast<int>(bytes);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value)) != 0) FloorDie("SO_RCVLOWAT");
}

}  // namespace

FloorReceiver::FloorReceiver(const FloorOptions& options, int fd)
    : options_(options),
      fd_(fd),
      block_bytes_(options.block_bytes > 0 ? std::min(options.block_bytes, options.payload_bytes)
                                           : options.payload_bytes),
      memory_(MakeFloorMemory(block_bytes_)),
      mapped_bytes_(options.receive == ReceivePath::kMap ? options.payload_bytes / kPageBytes * kPageBytes : 0) {
  if (mapped_bytes_ == 0) return;
  const int throwaway = FloorTcpSocket(options.tuned);
  void* const address = mmap(nullptr, mapped_bytes_, PROT_READ, MAP_SHARED, throwaway, 0);
  if (address == MAP_FAILED) FloorDie("mmap");
  arena_ = static_cast<char*>(address);
  close(throwaway);
}

FloorReceiver::~FloorReceiver() {
  if (arena_ != nullptr) munmap(arena_, mapped_bytes_);
  close(fd_);
}

bool FloorReceiver::Next() {
  FloorHeader header;
  if (!FloorReceiveAll(fd_, &header, sizeof(header))) return false;
  if (header.payload_bytes != options_.payload_bytes) FloorDie("a payload of another size than asked for has arrived");
  ByteReader reader;
  size_t owed = 0;
  if (!Map(mapped_bytes_, owed, reader) || !Copy(options_.payload_bytes - mapped_bytes_, reader)) return false;
  if (options_.touch && !reader.right()) FloorDie("a payload has arrived with wrong bytes");
  if (mapped_bytes_ > 0) madvise(arena_, mapped_bytes_, MADV_DONTNEED);
  return Acknowledge(options_.payload_bytes - mapped_bytes_ + owed);
}

bool FloorReceiver::Acknowledge(size_t bytes) {
  const FloorAck ack = {bytes};
  return FloorSendAll(fd_, &ack, sizeof(ack), 0);
}

bool FloorReceiver::Copy(size_t size, ByteReader& reader) {
  while (size > 0) {
    const size_t block = std::min(size, block_bytes_);
    if (!FloorReceiveAll(fd_, memory_.get(), block)) return false;
    if (options_.touch) reader.Read(memory_.get(), block);
    size -= block;
  }
  return true;
}

bool FloorReceiver::Map(size_t size, size_t& owed, ByteReader& reader) {
  int tries = 0;
  size_t acknowledged = 0;
  for (size_t got = 0; got < size;) {
    if (got - acknowledged >= kFloorAckBytes) {
      if (!Acknowledge(got - acknowledged)) return false;
      acknowledged = got;
    }
    transport::MapRequest request;
    request.address = arena_ + got;
    request.length = size - got;
    const transport::ZerocopyReceiveResult result = transport::ZerocopyReceive(fd_, request);
    if (result.error == EIO || result.error == ECONNRESET) return false;  // the peer has closed
    if (result.error != 0) {
      errno = result.error;
      FloorDie("TCP_ZEROCOPY_RECEIVE");
    }
    if (options_.touch) reader.Read(arena_ + got, result.mapped);
    got += result.mapped;
    // What has come since the kernel looked can be mapped by the next call; what was there and still is, by none.
    tries = result.mapped > 0 || result.queued < kPageBytes ? 0 : tries + 1;
    if (tries > 2) {
      // As far as nothing can be mapped, and back onto a page of the payload.
      const size_t hole = std::min(std::max<size_t>(result.skip, 1), size - got);
      const size_t rest = (kPageBytes - (got + hole) % kPageBytes) % kPageBytes;
      if (!Copy(hole + rest, reader)) return false;
      got += hole + rest;
      tries = 0;
    }
    if (result.mapped > 0 || tries > 0) continue;
    // Waits for all that is to come, or half of the buffer, whichever is less; the kernel caps it.
    SetLowWater(fd_, std::min<size_t>(size - got, kFloorChunkBytes));
    char byte;
    if (recv(fd_, &byte, 1, MSG_PEEK) <= 0) return false;
    SetLowWater(fd_, 1);
  }
  owed = size - acknowledged;
  return true;
}

}  // namespace pagewire::bench
