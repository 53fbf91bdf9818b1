#include "wire/random_bytes.h"

#include <cstdio>
#include <cstdlib>

namespace pagewire::wire {

RandomBytes::RandomBytes(const std::vector<Vector>& vectors, uint64_t seed) : random_(seed) {
  for (const Vector& vector : vectors) seeds_.push_back(vector.bytes);
}

uint64_t RandomBytes::ChooseSeed() {
  const char* chosen = std::getenv("PAGEWIRE_FUZZ_SEED");
  const uint64_t seed = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : std::random_device{}();
  std::printf("PAGEWIRE_FUZZ_SEED=%llu repeats this run\n", static_cast<unsigned long long>(seed));
  return seed;
}

std::string RandomBytes::Next() {
  std::string bytes;
  for (size_t count = 1 + Below(4); count > 0; --count) bytes += seeds_[Below(seeds_.size())];
  for (size_t count = Below(4); count > 0; --count) Damage(bytes);
  return bytes;
}

void RandomBytes::Damage(std::string& bytes) {
  if (bytes.empty()) return;
  const size_t at = Below(bytes.size());
  switch (Below(5)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << Below(8));
      break;
    case 1:
      bytes[at] = static_cast<char>(random_());
      break;
    case 2:
      bytes.insert(at, 1 + Below(30), static_cast<char>(random_()));
      break;
    case 3:
      bytes.erase(at, 1 + Below(30));
      break;
    default:
      bytes.resize(at);
      break;
  }
}

}  // namespace pagewire::wire
