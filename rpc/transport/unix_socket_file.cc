#include "transport/unix_socket_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/unique_fd.h"

namespace pagewire::transport {

UnixSocketFile::UnixSocketFile(const SocketAddress& address) {
  struct stat file;
  const std::string path = address.path();
  if (path.empty() || lstat(path.c_str(), &file) != 0) return;
  path_ = path;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

UnixSocketFile::UnixSocketFile(UnixSocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

UnixSocketFile& UnixSocketFile::operator=(UnixSocketFile&& other) noexcept {
  if (this != &other) {
    Remove();
    path_ = std::exchange(other.path_, {});
    device_ = other.device_;
    inode_ = other.inode_;
  }
  return *this;
}

UnixSocketFile::~UnixSocketFile() { Remove(); }

void UnixSocketFile::Remove() {
  struct stat file;
  if (path_.empty() || lstat(path_.c_str(), &file) != 0) return;
  if (file.st_dev == device_ && file.st_ino == inode_) unlink(path_.c_str());
}

bool UnixSocketFile::RemoveStale(const SocketAddress& address) {
  struct stat file;
  const std::string path = address.path();
  if (path.empty() || lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const base::UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.valid() || connect(probe.get(), address.get(), address.length()) == 0 || errno != ECONNREFUSED) {
    return false;
  }
  return unlink(path.c_str()) == 0;
}

}  // namespace pagewire::transport
