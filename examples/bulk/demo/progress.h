// How far the demo is: a bar on a terminal, a line for every tenth elsewhere.
#pragma once

#include <cstdint>
#include <string>

namespace bulk::demo {

// Writes to standard error, so that standard output has the results alone.
class Progress {
 public:
  // Of `total` bytes; `title` begins each line.
  Progress(std::string title, uint64_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Ends the bar's line.
  ~Progress();

  // Shows what is being done now.
  void Doing(const std::string& what);

  // `bytes` more are done.
  void Done(uint64_t bytes);

 private:
  void Draw();

  const std::string title_;
  const uint64_t total_;
  const bool terminal_;
  uint64_t done_ = 0;
  uint64_t tenths_shown_ = 0;
  std::string doing_;
};

}  // namespace bulk::demo
