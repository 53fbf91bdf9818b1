// Named blobs as the files of a directory.
#pragma once

#include <pagewire/payload.h>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bulk/fd.h"

namespace bulk {

// On disk:
//
//     DIRECTORY/blobs/NAME    complete blobs
//     DIRECTORY/incoming/N    being written; what is found here at start was interrupted, and is removed
//
// A blob is written to incoming/, brought to the disk and then renamed, so that under its name there is always a whole
// one. Symbolic links are never followed and nothing but regular files is read.
//
// Names are 1 to 255 bytes (NAME_MAX), any but '/' and NUL, and neither "." nor "..". Every method with a name returns
// INVALID_ARGUMENT, saying which rule was broken, for others; NOT_FOUND where there is no such blob;
// FAILED_PRECONDITION where something else than a file has the name; and otherwise what errno means, by
// absl::ErrnoToStatus: RESOURCE_EXHAUSTED for a full disk (ENOSPC, EDQUOT), PERMISSION_DENIED, ...
//
// Thread-safe. Of two puts of one name, one wins.
class BlobStore {
 public:
  struct Entry {
    std::string name;
    uint64_t size = 0;  // bytes
    absl::Time modified;
  };

  struct Page {
    std::vector<Entry> entries;  // in bytewise order of their names
    bool more = false;           // there are names behind the last one
  };

  // Opens the store in `directory`, which is made if it does not exist (its parent must). FAILED_PRECONDITION: another
  // process has it open.
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(const std::string& directory);

  // Stores the content under the name, in place of what was there. OK means that it is on disk. After an error the
  // former content is still there; only an error of syncing the directory, after the renaming, leaves it open.
  absl::Status Put(const std::string& name, const pagewire::Payload& content);

  absl::StatusOr<pagewire::Payload> Get(const std::string& name) const;
  absl::StatusOr<Entry> Stat(const std::string& name) const;

  // The first `limit` blobs whose names are behind `after`; "" is before all names.
  absl::StatusOr<Page> List(const std::string& after, size_t limit) const;

  absl::Status Remove(const std::string& name);

 private:
  BlobStore(Fd lock, Fd blobs, Fd incoming);
  absl::Status RemoveInterrupted();
  absl::Status WriteIncoming(const std::string& temporary, const pagewire::Payload& content);

  const Fd lock_;  // of the store's directory; closing it unlocks
  const Fd blobs_;
  const Fd incoming_;
  std::atomic<uint64_t> next_incoming_ = 0;
};

}  // namespace bulk
