#include "codegen/comments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pagewire::codegen {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CommentsTest, EachLineIsAComment) {
  EXPECT_THAT(CommentLines(" one\n two\n"), ElementsAre("// one", "// two"));
  EXPECT_THAT(CommentLines(" one\n\n two"), ElementsAre("// one", "//", "// two"));
}

TEST(CommentsTest, EmptyLinesAtBothEndsAreDropped) {
  EXPECT_THAT(CommentLines("\n\n one\n \n\n"), ElementsAre("// one"));
  EXPECT_THAT(CommentLines(""), IsEmpty());
  EXPECT_THAT(CommentLines("\n \n"), IsEmpty());
}

TEST(CommentsTest, DocumentationMarksStay) {
  EXPECT_THAT(CommentLines("/ doc\n! doc\n/< doc\nword"), ElementsAre("/// doc", "//! doc", "///< doc", "// word"));
}

TEST(CommentsTest, NoLineContinuesOntoTheNext) {
  EXPECT_THAT(CommentLines(" C:\\\n"), ElementsAre("// C:\\ //"));
  EXPECT_THAT(CommentLines(" C:\\ \t\n"), ElementsAre("// C:\\ //"));
  EXPECT_THAT(CommentLines(" what?\?/\n"), ElementsAre("// what?\?/ //"));
  EXPECT_THAT(CommentLines(" C:\\\r\n next"), ElementsAre("// C:\\ //", "// next"));
}

TEST(CommentsTest, CommentMarksAndQuotesStay) {
  EXPECT_THAT(CommentLines(" */ /* \" ' // R\"("), ElementsAre("// */ /* \" ' // R\"("));
}

TEST(CommentsTest, ControlCharactersAreBlanks) {
  EXPECT_THAT(CommentLines(std::string(" a\tb\rc\0d\fe\x7f"
                                       "f",
                                       13)),
              ElementsAre("// a b c d e f"));
}

TEST(CommentsTest, Utf8Stays) {
  EXPECT_THAT(CommentLines(" h\u00e9llo \u4e16 \U0001f680"), ElementsAre("// h\u00e9llo \u4e16 \U0001f680"));
}

TEST(CommentsTest, WhatIsNotUtf8IsReplaced) {
  EXPECT_THAT(CommentLines(" \xff\xfe"), ElementsAre("// \ufffd\ufffd"));
  EXPECT_THAT(CommentLines(" \xc3("), ElementsAre("// \ufffd("));                              // cut short by the next
  EXPECT_THAT(CommentLines(" \xe4\xb8"), ElementsAre("// \ufffd\ufffd"));                      // cut short by the end
  EXPECT_THAT(CommentLines(" \xc0\xaf"), ElementsAre("// \ufffd\ufffd"));                      // overlong
  EXPECT_THAT(CommentLines(" \xed\xa0\x80"), ElementsAre("// \ufffd\ufffd\ufffd"));            // surrogate
  EXPECT_THAT(CommentLines(" \xf4\x90\x80\x80"), ElementsAre("// \ufffd\ufffd\ufffd\ufffd"));  // above U+10FFFF
}

TEST(CommentsTest, CharactersThatReorderTextAreSpelledOut) {
  EXPECT_THAT(CommentLines(" a\u202eb\u2066"), ElementsAre("// a<U+202E>b<U+2066>"));
}

}  // namespace
}  // namespace pagewire::codegen
