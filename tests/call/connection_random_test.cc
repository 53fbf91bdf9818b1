// The connection's fuzz check on random programs, as long as an ordinary test may take. This source is built twice:
// with PAGEWIRE_FUZZ_CANARY the check has a bug, which the same programs must find.
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "fuzz/connection_check.h"

namespace pagewire::call {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr int kPrograms = 300;  // one thread: there is little to watch
#else
constexpr int kPrograms = 3'000;
#endif

// PAGEWIRE_FUZZ_SEED where it is set, else a new seed.
uint64_t ChooseSeed() {
  const char* chosen = std::getenv("PAGEWIRE_FUZZ_SEED");
  const uint64_t seed = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : std::random_device{}();
  std::printf("PAGEWIRE_FUZZ_SEED=%llu repeats this run\n", static_cast<unsigned long long>(seed));
  return seed;
}

// Bytes of which most are small: they choose what is right.
std::string RandomProgram(std::mt19937_64& random) {
  std::string program(1 + random() % 500, '\0');
  const uint64_t tame = 1 + random() % 64;
  for (char& byte : program) byte = static_cast<char>(random() % (random() % tame == 0 ? 256 : 200));
  return program;
}

// The first of kPrograms for which the check fails, with the failure; empty when there is none.
std::string FirstFailure() {
  std::mt19937_64 random(ChooseSeed());
  for (int i = 0; i < kPrograms; ++i) {
    const std::string program = RandomProgram(random);
    const std::optional<std::string> problem = CheckConnection(program);
    if (problem.has_value()) return absl::StrCat(*problem, ": ", absl::BytesToHexString(program));
  }
  return "";
}

#ifdef PAGEWIRE_FUZZ_CANARY
TEST(ConnectionRandomTest, ThePlantedBugIsFound) { EXPECT_NE(FirstFailure(), ""); }
#else
TEST(ConnectionRandomTest, AnyClient) { EXPECT_EQ(FirstFailure(), ""); }
#endif

}  // namespace
}  // namespace pagewire::call
