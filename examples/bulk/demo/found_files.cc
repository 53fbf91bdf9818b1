#include "bulk/demo/found_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <absl/numeric/bits.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

namespace bulk::demo {
namespace {

namespace fs = std::filesystem;

constexpr std::array kPlaces = {"/usr/lib", "/usr/bin", "/usr/libexec", "/usr/share"};

// Plenty for the demo; looking at more takes seconds on machines that have millions.
constexpr size_t kMostFiles = 50'000;

using Inodes = std::set<std::pair<dev_t, ino_t>>;

void FindBelow(const char* place, uint64_t largest, Inodes& seen, std::vector<SourceFile>& files) {
  std::error_code error;
  fs::recursive_directory_iterator entry(place, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator() && files.size() < kMostFiles; entry.increment(error)) {
    const std::string& path = entry->path().native();
    struct stat info = {};
    if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const uint64_t size = static_cast<uint64_t>(info.st_size);
    if (size == 0 || size > largest || access(path.c_str(), R_OK) != 0) continue;
    if (seen.emplace(info.st_dev, info.st_ino).second) files.push_back({path, size});
  }
}

// Takes one file of each order of magnitude in turn, from the largest down.
std::vector<SourceFile> Mixed(std::vector<SourceFile> files) {
  std::sort(files.begin(), files.end(), [](const SourceFile& a, const SourceFile& b) {
    return std::tie(b.size, a.path) < std::tie(a.size, b.path);
  });
  std::array<std::vector<SourceFile>, 65> magnitudes;
  for (SourceFile& file : files) magnitudes[absl::bit_width(file.size)].push_back(std::move(file));
  std::vector<SourceFile> mixed;
  for (size_t round = 0; mixed.size() < files.size(); ++round) {
    for (auto magnitude = magnitudes.rbegin(); magnitude != magnitudes.rend(); ++magnitude) {
      if (round < magnitude->size()) mixed.push_back(std::move((*magnitude)[round]));
    }
  }
  return mixed;
}

}  // namespace

absl::StatusOr<std::vector<SourceFile>> FindFiles(uint64_t largest) {
  Inodes seen;
  std::vector<SourceFile> files;
  for (const char* place : kPlaces) FindBelow(place, largest, seen, files);
  if (files.empty()) {
    return absl::NotFoundError(
        absl::StrCat("found no readable files of at most ", largest, " bytes in ", kPlaces[0], " and its neighbours"));
  }
  return Mixed(std::move(files));
}

}  // namespace bulk::demo
