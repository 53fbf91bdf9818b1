// The frame decoder's fuzz check on random inputs, as long as an ordinary test may take. This source is built twice:
// with PAGEWIRE_FUZZ_CANARY the check has a bug, which the same inputs must find.
#include <gtest/gtest.h>

#include <absl/strings/escaping.h>

#include "fuzz/frame_decoder_check.h"
#include "wire/random_bytes.h"

namespace pagewire::wire {
namespace {

constexpr int kInputs = 50'000;

// The first input, of kInputs, for which the check fails, with the failure; empty when there is none.
std::string FirstFailure() {
  RandomBytes inputs(ReadVectors("frames.txt"), RandomBytes::ChooseSeed());
  for (int i = 0; i < kInputs; ++i) {
    const std::string input = inputs.Next();
    const std::optional<std::string> problem = CheckFrameDecoder(input);
    if (problem.has_value()) return *problem + ": " + absl::BytesToHexString(input);
  }
  return "";
}

#ifdef PAGEWIRE_FUZZ_CANARY
TEST(FrameDecoderRandomTest, ThePlantedBugIsFound) { EXPECT_NE(FirstFailure(), ""); }
#else
TEST(FrameDecoderRandomTest, AnyBytes) { EXPECT_EQ(FirstFailure(), ""); }
#endif

}  // namespace
}  // namespace pagewire::wire
