#include "codegen/options.h"

#include <absl/status/status.h>
#include <gtest/gtest.h>

namespace pagewire::codegen {
namespace {

TEST(OptionsTest, NothingMeansTheDefaults) {
  const auto options = ParseOptions("");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options->mocks);
}

TEST(OptionsTest, MocksCanBeTurnedOff) {
  EXPECT_FALSE(ParseOptions("mocks=false")->mocks);
  EXPECT_TRUE(ParseOptions("mocks=true")->mocks);
}

TEST(OptionsTest, AnUnknownKeyIsNamed) {
  EXPECT_EQ(ParseOptions("mocks=true,mock=false").status(),
            absl::InvalidArgumentError("unknown option \"mock\"; the options are: mocks=true|false"));
}

TEST(OptionsTest, ABadValueIsNamed) {
  EXPECT_EQ(ParseOptions("mocks=1").status(),
            absl::InvalidArgumentError("option \"mocks\" has the value \"1\"; it takes true or false"));
  EXPECT_EQ(ParseOptions("mocks").status(),
            absl::InvalidArgumentError("option \"mocks\" has the value \"\"; it takes true or false"));
}

TEST(OptionsTest, AKeyMayComeOnce) {
  EXPECT_EQ(ParseOptions("mocks=true,mocks=true").status(),
            absl::InvalidArgumentError("option \"mocks\" is given more than once"));
}

}  // namespace
}  // namespace pagewire::codegen
