// How lists are cut, and how texts are shown.
#include "admin_service/page.h"

#include <gtest/gtest.h>

#include <string>

#include "admin_service/shown_text.h"

namespace pagewire::admin_service {
namespace {

using admin::v1::Holder;
using admin::v1::ListHoldersResponse;
using admin::v1::Page;
using admin::v1::Place;

bool Add(PageFiller<ListHoldersResponse, Holder>& filler, uint64_t id, size_t label_bytes = 1) {
  Holder holder;
  holder.set_id(id);
  holder.set_label(std::string(label_bytes, 'x'));
  Place place;
  place.set_id(id);
  return filler.Add(holder, place);
}

TEST(PageTest, LimitsHaveADefaultAndAMaximum) {
  Page page;
  EXPECT_EQ(LimitOf(page), 100u);
  page.set_limit(1);
  EXPECT_EQ(LimitOf(page), 1u);
  page.set_limit(1000);
  EXPECT_EQ(LimitOf(page), 1000u);
  page.set_limit(~uint32_t{0});
  EXPECT_EQ(LimitOf(page), 1000u);
}

TEST(PageTest, AFullPageSaysWhereToGoOn) {
  ListHoldersResponse response;
  PageFiller filler(2, response, *response.mutable_holders());
  EXPECT_TRUE(Add(filler, 7));
  EXPECT_TRUE(Add(filler, 9));
  EXPECT_FALSE(response.has_next()) << "unless there is more";
  EXPECT_FALSE(Add(filler, 12));
  EXPECT_EQ(response.holders_size(), 2);
  EXPECT_EQ(response.next().id(), 9u);
}

TEST(PageTest, AnswersAreBoundedInBytesToo) {
  ListHoldersResponse response;
  PageFiller filler(1000, response, *response.mutable_holders());
  constexpr size_t kHalf = kMaxAnswerBytes / 2 - 100;
  EXPECT_TRUE(Add(filler, 1, kHalf));
  EXPECT_TRUE(Add(filler, 2, kHalf));
  EXPECT_FALSE(Add(filler, 3, kHalf));
  EXPECT_EQ(response.next().id(), 2u);
  EXPECT_LE(response.ByteSizeLong(), kMaxAnswerBytes);
}

TEST(PageTest, OneEntryAlwaysFits) {
  ListHoldersResponse response;
  PageFiller filler(1000, response, *response.mutable_holders());
  EXPECT_TRUE(Add(filler, 1, kMaxAnswerBytes + 1));
  EXPECT_FALSE(Add(filler, 2));
  EXPECT_EQ(response.next().id(), 1u);
}

TEST(ShownTextTest, TextsOfPeersAreCutAndPrintable) {
  EXPECT_EQ(Shown("/pkg.Service/M\xc3\xa4thod"), "/pkg.Service/M\xc3\xa4thod");
  EXPECT_EQ(Shown("a\nb\x1b[2J\xff"), "a?b?[2J?");
  EXPECT_EQ(Shown("a\xc2\x85\xc2\x9b[2J"), "a??[2J") << "a line feed and an escape, as single characters";
  EXPECT_EQ(Shown(std::string(1000, 'x')), std::string(256, 'x'));
  EXPECT_EQ(Shown(std::string(255, 'x') + "\xc3\xa4"), std::string(255, 'x') + "?") << "not half of a character";
}

}  // namespace
}  // namespace pagewire::admin_service
