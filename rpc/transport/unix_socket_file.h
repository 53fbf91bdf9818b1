// The file that a listening Unix socket leaves in the file system.
#pragma once

#include <cstdint>
#include <string>

#include "transport/socket_address.h"

namespace pagewire::transport {

// Removes the file at the end of its life, unless another socket has taken its place meanwhile.
class UnixSocketFile {
 public:
  // No file.
  UnixSocketFile() = default;

  // The file of a socket that was just bound to `address`; no file for other families.
  explicit UnixSocketFile(const SocketAddress& address);

  UnixSocketFile(UnixSocketFile&& other) noexcept;
  UnixSocketFile& operator=(UnixSocketFile&& other) noexcept;
  ~UnixSocketFile();

  // Removes the file of a socket on which nobody listens: its owner died without removing it. False when there is none
  // or somebody still answers.
  static bool RemoveStale(const SocketAddress& address);

 private:
  void Remove();

  std::string path_;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
};

}  // namespace pagewire::transport
