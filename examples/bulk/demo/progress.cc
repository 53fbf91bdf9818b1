#include "bulk/demo/progress.h"

#include <absl/strings/str_format.h>
#include <unistd.h>

#include <iostream>
#include <utility>

namespace bulk::demo {
namespace {

constexpr size_t kBarWidth = 30;
constexpr size_t kNameWidth = 24;  // with the rest, 80 columns at most

constexpr char kEraseToEndOfLine[] = "\033[K";

}  // namespace

Progress::Progress(std::string title, uint64_t total)
    : title_(std::move(title)), total_(total), terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (terminal_) std::cerr << '\r' << kEraseToEndOfLine << std::flush;
}

void Progress::Doing(const std::string& what) {
  doing_ = what.substr(0, kNameWidth);
  if (terminal_) Draw();
}

void Progress::Done(uint64_t bytes) {
  done_ += bytes;
  if (terminal_) return Draw();
  const uint64_t tenths = done_ * 10 / total_;
  if (tenths == tenths_shown_) return;
  tenths_shown_ = tenths;
  std::cerr << absl::StrFormat("%s: %3d %%, %.2f of %.2f GB\n", title_, tenths * 10, done_ / 1e9, total_ / 1e9);
}

void Progress::Draw() {
  const size_t filled = done_ * kBarWidth / total_;
  std::cerr << absl::StrFormat("\r%s [%s%s] %3d %% %s%s", title_, std::string(filled, '#'),
                               std::string(kBarWidth - filled, '.'), done_ * 100 / total_, doing_, kEraseToEndOfLine)
            << std::flush;
}

}  // namespace bulk::demo
