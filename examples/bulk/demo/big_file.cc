#include "bulk/demo/big_file.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "bulk/fd.h"
#include "bulk/file_io.h"

namespace bulk::demo {
namespace {

constexpr size_t kBlockBytes = 1 << 20;

// Reads the sources one after the other, and then from the first again.
class Cycle {
 public:
  explicit Cycle(const std::vector<SourceFile>& sources) : sources_(sources) {}

  absl::Status Fill(absl::Span<char> out) {
    for (size_t empty = 0; !out.empty();) {
      const ssize_t got = file_.valid() ? read(file_.get(), out.data(), out.size()) : 0;
      if (got < 0 && errno == EINTR) continue;
      if (got > 0) {
        out.remove_prefix(static_cast<size_t>(got));
        empty = 0;
        continue;
      }
      if (empty++ > sources_.size()) return absl::UnavailableError("the files found cannot be read any more");
      file_ = Fd(open(sources_[next_].path.c_str(), O_RDONLY | O_CLOEXEC));
      next_ = (next_ + 1) % sources_.size();
    }
    return absl::OkStatus();
  }

 private:
  const std::vector<SourceFile>& sources_;
  size_t next_ = 0;
  Fd file_;
};

}  // namespace

absl::StatusOr<SourceFile> MakeBigFile(const std::string& path, uint64_t size, const std::vector<SourceFile>& sources) {
  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  Cycle content(sources);
  std::string block(kBlockBytes, '\0');
  for (uint64_t written = 0; written < size;) {
    const std::string header = absl::StrCat("pagewire-demo: bytes from ", written, " of ", size, "\n");
    std::copy(header.begin(), header.end(), block.begin());
    if (absl::Status status = content.Fill({block.data() + header.size(), block.size() - header.size()});
        !status.ok()) {
      return status;
    }
    const size_t length = std::min<uint64_t>(block.size(), size - written);
    const pagewire::Payload bytes = pagewire::Payload::FromExternal(block.data(), length, nullptr);
    if (absl::Status status = WritePayload(file.get(), bytes); !status.ok()) return status;
    written += length;
  }
  return SourceFile{path, size};
}

}  // namespace bulk::demo
