// A fuzz input as a source of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace pagewire::call {

// What the program leaves out is 0, so that every string is a program.
class ProgramNumbers {
 public:
  explicit ProgramNumbers(std::string_view program) : program_(program) {}

  bool empty() const { return program_.empty(); }

  uint8_t Byte() {
    if (program_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(program_.front());
    program_.remove_prefix(1);
    return byte;
  }

  // Below `bound`; 0 if there is nothing to choose from.
  size_t Below(size_t bound) { return bound < 2 ? 0 : Byte() % bound; }

  template <typename Table>
  auto Pick(const Table& table) {
    return table[Below(std::size(table))];
  }

  // One in 32 bytes says yes.
  bool Rarely() { return Byte() >= 248; }

  // Mostly `right`; rarely beside it, or anything.
  uint64_t Nearly(uint64_t right) {
    switch (Byte()) {
      case 252:
        return right + 1;
      case 253:
        return right - 1;
      case 254:
        return right + Byte() * uint64_t{4096};
      case 255:
        return uint64_t{1} << (Byte() % 64);
      default:
        return right;
    }
  }

  // The next bytes as they are.
  std::string_view Raw(size_t length) {
    const std::string_view raw = program_.substr(0, length);
    program_.remove_prefix(raw.size());
    return raw;
  }

 private:
  std::string_view program_;
};

}  // namespace pagewire::call
