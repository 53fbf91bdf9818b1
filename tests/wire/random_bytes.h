// Inputs for a decoder that are nearly right: vectors, joined and damaged.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "wire/vectors.h"

namespace pagewire::wire {

class RandomBytes {
 public:
  // Builds on the bytes of `vectors`. The same seed gives the same inputs.
  RandomBytes(const std::vector<Vector>& vectors, uint64_t seed);

  // The seed to run with: PAGEWIRE_FUZZ_SEED where it is set, else a new one. Prints how to repeat the run.
  static uint64_t ChooseSeed();

  std::string Next();

 private:
  size_t Below(size_t bound) { return random_() % bound; }
  void Damage(std::string& bytes);

  std::vector<std::string> seeds_;
  std::mt19937_64 random_;
};

}  // namespace pagewire::wire
