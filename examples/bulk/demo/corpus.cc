#include "bulk/demo/corpus.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "bulk/demo/big_file.h"
#include "bulk/demo/found_files.h"

namespace bulk::demo {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kBigFileBytes = 512 * kMiB;
constexpr uint64_t kSmallestRoom = 8 * kMiB;

// No found file gets more than this part of all of them, so that there are several of each order of magnitude.
constexpr uint64_t kLargestShare = 4;

// Enough to have many of each order of magnitude, and not so many that the tiny ones set the pace.
constexpr size_t kMostDistinctFiles = 400;

// What may be left over when files have been taken: filling it would take ever tinier ones.
constexpr uint64_t kLeftOverShare = 64;

// Files of at most `total` bytes together, in the order of `found` and over again.
std::vector<SourceFile> TakeUpTo(uint64_t total, const std::vector<SourceFile>& found) {
  std::vector<SourceFile> taken;
  const uint64_t enough = total / kLeftOverShare;
  for (bool any = true; any && total > enough;) {
    any = false;
    for (const SourceFile& file : found) {
      if (file.size > total) continue;
      taken.push_back(file);
      total -= file.size;
      any = true;
      if (total <= enough) break;
    }
  }
  return taken;
}

}  // namespace

uint64_t WantedBigFileBytes(uint64_t total) { return std::min(kBigFileBytes, total / 2); }

absl::StatusOr<std::vector<SourceFile>> MakeCorpus(uint64_t total, const Room& room, const std::string& directory) {
  if (room.largest_file < kSmallestRoom) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there is no room for files of ", kSmallestRoom / kMiB, " MiB; the limit is ", room.limit));
  }
  const uint64_t big = std::min(WantedBigFileBytes(total), room.largest_file);
  absl::StatusOr<std::vector<SourceFile>> found =
      FindFiles(std::clamp((total - big) / kLargestShare, kMiB, room.largest_file));
  if (!found.ok()) return std::move(found).status();
  found->resize(std::min(found->size(), kMostDistinctFiles));
  std::vector<SourceFile> corpus = TakeUpTo(total - big, *found);
  uint64_t rest = total;
  for (const SourceFile& file : corpus) rest -= file.size;
  absl::StatusOr<SourceFile> big_file = MakeBigFile(absl::StrCat(directory, "/big"), rest, *found);
  if (!big_file.ok()) return std::move(big_file).status();
  corpus.push_back(*std::move(big_file));
  return corpus;
}

}  // namespace bulk::demo
