#include "bulk/blob_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "bulk/file_io.h"

namespace bulk {
namespace {

std::string Quoted(const std::string& name) { return absl::StrCat("\"", absl::CHexEscape(name), "\""); }

absl::Status Errno(const char* what, const std::string& name) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", Quoted(name)));
}

absl::Status CheckName(const std::string& name) {
  if (name.empty()) return absl::InvalidArgumentError("a blob's name must not be empty");
  if (name.size() > NAME_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("a blob's name must not be longer than ", NAME_MAX, " bytes; this one has ", name.size()));
  }
  const auto refused = [&name](const char* rule) {
    return absl::InvalidArgumentError(absl::StrCat("a blob's name must not ", rule, ": ", Quoted(name)));
  };
  if (name.find('/') != std::string::npos) return refused("contain '/'");
  if (name.find('\0') != std::string::npos) return refused("contain NUL");
  if (name == "." || name == "..") return refused("be \".\" or \"..\"");
  return absl::OkStatus();
}

absl::StatusOr<Fd> OpenDirectory(int parent, const std::string& name) {
  if (mkdirat(parent, name.c_str(), 0777) != 0 && errno != EEXIST) return Errno("cannot make directory", name);
  Fd fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return Errno("cannot open directory", name);
  return fd;
}

absl::StatusOr<std::vector<std::string>> NamesIn(int directory) {
  // Opened anew, because the position of a descriptor is shared by all who read from it.
  Fd fd(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* const stream = fd.valid() ? fdopendir(fd.get()) : nullptr;
  if (stream == nullptr) return absl::ErrnoToStatus(errno, "cannot open the store's directory");
  fd.Release();  // the stream closes it
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int error = errno;
  closedir(stream);
  if (error != 0) return absl::ErrnoToStatus(error, "cannot read the store's directory");
  return names;
}

}  // namespace

BlobStore::BlobStore(Fd lock, Fd blobs, Fd incoming)
    : lock_(std::move(lock)), blobs_(std::move(blobs)), incoming_(std::move(incoming)) {}

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(const std::string& directory) {
  if (mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST) return Errno("cannot make directory", directory);
  Fd root(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return Errno("cannot open directory", directory);
  if (flock(root.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Errno("cannot lock directory", directory);
    return absl::FailedPreconditionError(absl::StrCat("store ", Quoted(directory), " is in use by another process"));
  }
  absl::StatusOr<Fd> blobs = OpenDirectory(root.get(), "blobs");
  if (!blobs.ok()) return std::move(blobs).status();
  absl::StatusOr<Fd> incoming = OpenDirectory(root.get(), "incoming");
  if (!incoming.ok()) return std::move(incoming).status();
  std::unique_ptr<BlobStore> store(new BlobStore(std::move(root), *std::move(blobs), *std::move(incoming)));
  if (absl::Status status = store->RemoveInterrupted(); !status.ok()) return status;
  return store;
}

absl::Status BlobStore::RemoveInterrupted() {
  absl::StatusOr<std::vector<std::string>> names = NamesIn(incoming_.get());
  if (!names.ok()) return std::move(names).status();
  for (const std::string& name : *names) {
    if (unlinkat(incoming_.get(), name.c_str(), 0) != 0) return Errno("cannot remove interrupted put", name);
  }
  return absl::OkStatus();
}

absl::Status BlobStore::WriteIncoming(const std::string& temporary, const pagewire::Payload& content) {
  const Fd file(openat(incoming_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file.valid()) return Errno("cannot create incoming file", temporary);
  if (absl::Status status = WritePayload(file.get(), content); !status.ok()) return status;
  if (fdatasync(file.get()) != 0) return Errno("cannot sync incoming file", temporary);
  return absl::OkStatus();
}

absl::Status BlobStore::Put(const std::string& name, const pagewire::Payload& content) {
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  const std::string temporary = absl::StrCat(next_incoming_.fetch_add(1));
  absl::Status status = WriteIncoming(temporary, content);
  if (status.ok() && renameat(incoming_.get(), temporary.c_str(), blobs_.get(), name.c_str()) != 0) {
    status = Errno("cannot put", name);
  }
  if (!status.ok()) {
    unlinkat(incoming_.get(), temporary.c_str(), 0);
    return status;
  }
  if (fsync(blobs_.get()) != 0) return Errno("cannot sync the directory of", name);
  return absl::OkStatus();
}

absl::StatusOr<pagewire::Payload> BlobStore::Get(const std::string& name) const {
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  absl::StatusOr<Fd> file = OpenRegularFile(blobs_.get(), name);
  if (!file.ok()) return std::move(file).status();
  return ReadPayload(file->get());
}

absl::StatusOr<BlobStore::Entry> BlobStore::Stat(const std::string& name) const {
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  struct stat info = {};
  if (fstatat(blobs_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return Errno("cannot stat", name);
  if (!S_ISREG(info.st_mode))
    return absl::FailedPreconditionError(absl::StrCat(Quoted(name), " is not a regular file"));
  return Entry{name, static_cast<uint64_t>(info.st_size), absl::TimeFromTimespec(info.st_mtim)};
}

absl::StatusOr<BlobStore::Page> BlobStore::List(const std::string& after, size_t limit) const {
  absl::StatusOr<std::vector<std::string>> names = NamesIn(blobs_.get());
  if (!names.ok()) return std::move(names).status();
  std::sort(names->begin(), names->end());
  Page page;
  for (auto name = std::upper_bound(names->begin(), names->end(), after); name != names->end(); ++name) {
    absl::StatusOr<Entry> entry = Stat(*name);
    if (!entry.ok()) continue;  // not a file, or removed meanwhile
    if (page.entries.size() == limit) {
      page.more = true;
      break;
    }
    page.entries.push_back(*std::move(entry));
  }
  return page;
}

absl::Status BlobStore::Remove(const std::string& name) {
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  if (unlinkat(blobs_.get(), name.c_str(), 0) != 0) return Errno("cannot remove", name);
  if (fsync(blobs_.get()) != 0) return Errno("cannot sync the directory of", name);
  return absl::OkStatus();
}

}  // namespace bulk
