// The value of traceparent, rule by rule: https://www.w3.org/TR/trace-context/#traceparent-header
#include <gtest/gtest.h>
#include <pagewire/tracing.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "admin/trace_metadata.h"

namespace pagewire {
namespace {

constexpr char kText[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

SpanContext Expected() {
  SpanContext context;
  context.trace_id = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
  context.span_id = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
  context.sampled = true;
  return context;
}

TEST(TraceparentTest, ReadAndWritten) {
  const std::optional<SpanContext> context = ParseTraceparent(kText);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(*context, Expected());
  EXPECT_EQ(FormatTraceparent(*context), kText);
}

TEST(TraceparentTest, OnlyTheFlagSampledIsKnown) {
  const std::string head(kText, 53);
  for (const auto& [flags, sampled] :
       {std::pair("00", false), {"01", true}, {"02", false}, {"fe", false}, {"ff", true}}) {
    const std::optional<SpanContext> context = ParseTraceparent(head + flags);
    ASSERT_TRUE(context.has_value()) << flags;
    EXPECT_EQ(context->sampled, sampled) << flags;
    EXPECT_EQ(FormatTraceparent(*context), head + (sampled ? "01" : "00")) << flags;
  }
}

TEST(TraceparentTest, LaterVersionsAsFarAsTheyAreAlike) {
  const std::string rest(kText + 2);
  for (const std::string version : {"01", "0a", "cc", "fe"}) {
    for (const std::string more : {"", "-", "-what the future will be like", "--"}) {
      const std::optional<SpanContext> context = ParseTraceparent(version + rest + more);
      ASSERT_TRUE(context.has_value()) << version << more;
      EXPECT_EQ(FormatTraceparent(*context), kText) << "written in the version that we know";
    }
    for (const std::string more : {"x", "0", ".what", " "}) {
      EXPECT_FALSE(ParseTraceparent(version + rest + more).has_value()) << version << more;
    }
  }
}

TEST(TraceparentTest, WhatBreaksTheRules) {
  for (const std::string text : {
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",   // the version that never is
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",  // version 00 has nothing more
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",  // upper case
           "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
           "0A-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",  // not hexadecimal
           "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0.",
           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",  // no dashes
           "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
           " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",  // blanks
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
           "00-0af7651916cd43dd8448eb211c80319cc-b7ad6b7169203331-0",  // lengths
       }) {
    EXPECT_FALSE(ParseTraceparent(text).has_value()) << text;
  }
}

TEST(TraceparentTest, NoBeginningOfOne) {
  const std::string text = kText;
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(ParseTraceparent(text.substr(0, length)).has_value()) << length;
    EXPECT_FALSE(ParseTraceparent("01" + text.substr(0, length).erase(0, 2)).has_value()) << length;
  }
}

TEST(TraceparentTest, NothingForAContextThatIsNotValid) {
  EXPECT_EQ(FormatTraceparent(SpanContext()), "");
  SpanContext half = Expected();
  half.span_id = {};
  EXPECT_EQ(FormatTraceparent(half), "");
  EXPECT_FALSE(half.valid());
}

TEST(ReadTraceTest, TraceparentStandsOnce) {
  EXPECT_FALSE(admin::ReadTrace({}).valid());
  EXPECT_EQ(admin::ReadTrace({{"traceparent", kText}}), Expected());
  EXPECT_FALSE(admin::ReadTrace({{"traceparent", kText}, {"traceparent", kText}}).valid());
  EXPECT_FALSE(admin::ReadTrace({{"traceparent", "nonsense"}, {"tracestate", "a=1"}}).valid());
  EXPECT_EQ(admin::ReadTrace({{"tracestate", "a=1"}}), SpanContext());
}

TEST(ReadTraceTest, TracestateIsCombinedAndBounded) {
  EXPECT_EQ(admin::ReadTrace({{"traceparent", kText}, {"tracestate", "a=1"}}).trace_state, "a=1");
  EXPECT_EQ(admin::ReadTrace({{"traceparent", kText}, {"tracestate", "a=1"}, {"tracestate", "b=2"}}).trace_state,
            "a=1,b=2");
  EXPECT_EQ(admin::ReadTrace({{"traceparent", kText}, {"tracestate", std::string(512, 'x')}}).trace_state,
            std::string(512, 'x'));
  EXPECT_EQ(admin::ReadTrace({{"traceparent", kText}, {"tracestate", std::string(513, 'x')}}), Expected());
}

TEST(SpanIdsTest, BelowAParent) {
  SpanIds ids(1);
  SpanContext parent = Expected();
  parent.trace_state = "a=1";
  const SpanContext child = ids.Below(parent);
  EXPECT_EQ(child.trace_id, parent.trace_id);
  EXPECT_NE(child.span_id, parent.span_id);
  EXPECT_TRUE(child.valid());
  EXPECT_TRUE(child.sampled);
  EXPECT_EQ(child.trace_state, "a=1");
  parent.sampled = false;
  EXPECT_FALSE(ids.Below(parent, /*sample_new=*/true).sampled) << "whoever began the trace decides";
}

TEST(SpanIdsTest, ANewTrace) {
  SpanIds ids(1);
  const SpanContext one = ids.Below({}), other = ids.Below({}, /*sample_new=*/false);
  EXPECT_TRUE(one.valid());
  EXPECT_TRUE(one.sampled);
  EXPECT_FALSE(other.sampled);
  EXPECT_NE(one.trace_id, other.trace_id);
  SpanContext stray;
  stray.trace_state = "a=1";
  EXPECT_EQ(ids.Below(stray).trace_state, "") << "a state without a trace means nothing";
}

TEST(SpanIdsTest, TheSameSeedTheSameIds) {
  SpanIds one(7), same(7), other(8);
  const SpanContext context = one.Below({});
  EXPECT_EQ(context, same.Below({}));
  EXPECT_NE(context, other.Below({}));
  EXPECT_NE(SpanIds().Below({}), SpanIds().Below({}));
}

TEST(SpanIdsTest, NoIdTwiceWhateverTheThread) {
  SpanIds ids;
  std::array<std::vector<SpanContext>, 4> made;
  {
    std::vector<std::jthread> threads;
    for (auto& mine : made) {
      threads.emplace_back([&ids, &mine] {
        for (int i = 0; i < 1000; ++i) mine.push_back(ids.Below({}));
      });
    }
  }
  std::set<std::array<uint8_t, 8>> spans;
  std::set<std::array<uint8_t, 16>> traces;
  for (const auto& some : made) {
    for (const SpanContext& context : some) {
      spans.insert(context.span_id);
      traces.insert(context.trace_id);
    }
  }
  EXPECT_EQ(spans.size(), 4000u);
  EXPECT_EQ(traces.size(), 4000u);
}

}  // namespace
}  // namespace pagewire
