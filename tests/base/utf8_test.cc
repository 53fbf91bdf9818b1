// Which texts are shown as they are.
#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace pagewire::base {
namespace {

TEST(PrintableUtf8Test, WellFormedTextStays) {
  const std::string text = "a\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf";
  EXPECT_EQ(PrintableUtf8(text), text);
}

TEST(PrintableUtf8Test, EverythingElseDoesNot) {
  EXPECT_EQ(PrintableUtf8("\x80"), "?");                 // without a first byte
  EXPECT_EQ(PrintableUtf8("\xc3"), "?");                 // cut off
  EXPECT_EQ(PrintableUtf8("\xe2\x82"), "??");            // cut off
  EXPECT_EQ(PrintableUtf8("\xc3(a"), "?(a");             // followed by something else
  EXPECT_EQ(PrintableUtf8("\xc0\x80"), "??");            // overlong
  EXPECT_EQ(PrintableUtf8("\xe0\x9f\xbf"), "???");       // overlong
  EXPECT_EQ(PrintableUtf8("\xf0\x8f\xbf\xbf"), "????");  // overlong
  EXPECT_EQ(PrintableUtf8("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(PrintableUtf8("\xf4\x90\x80\x80"), "????");  // above U+10FFFF
  EXPECT_EQ(PrintableUtf8("\xf5\xff"), "??");            // never
  EXPECT_EQ(PrintableUtf8("\t\r\x1b\x7f"), "????");      // controls
}

TEST(PrintableUtf8Test, ControlsOfTwoBytesAreControls) {
  EXPECT_EQ(PrintableUtf8("\xc2\x80\xc2\x85\xc2\x9b\xc2\x9f"), "????");
  EXPECT_EQ(PrintableUtf8("\xc2\xa0\xc3\x80"), "\xc2\xa0\xc3\x80");
}

}  // namespace
}  // namespace pagewire::base
