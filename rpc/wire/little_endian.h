// Integers as the wire has them: least significant byte first, at any address, on any host.
#pragma once

#include <cstddef>
#include <type_traits>

namespace pagewire::wire {

template <typename Integer>
void StoreLittleEndian(Integer value, char* out) {
  static_assert(std::is_unsigned_v<Integer>);
  for (size_t i = 0; i < sizeof(Integer); ++i) out[i] = static_cast<char>(value >> (8 * i));
}

template <typename Integer>
Integer LoadLittleEndian(const char* in) {
  static_assert(std::is_unsigned_v<Integer>);
  Integer value = 0;
  for (size_t i = 0; i < sizeof(Integer); ++i) {
    value = static_cast<Integer>(value | static_cast<Integer>(static_cast<unsigned char>(in[i])) << (8 * i));
  }
  return value;
}

}  // namespace pagewire::wire
