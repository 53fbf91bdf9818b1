#include "wire/copy_reason.h"

#include <gtest/gtest.h>

namespace pagewire::wire {
namespace {

TEST(CopyReasonTest, RoundTrip) {
  for (int i = 0; i < kCopyReasonCount; ++i) {
    const auto reason = static_cast<CopyReason>(i);
    EXPECT_EQ(FromWire(ToWire(reason)), reason);
  }
  EXPECT_EQ(ToWire(CopyReason::kSameHostCopy), v1::COPY_REASON_SAME_HOST_COPY);
}

TEST(CopyReasonTest, NotInThisVersion) {
  EXPECT_EQ(FromWire(v1::COPY_REASON_UNSPECIFIED), std::nullopt);
  EXPECT_EQ(FromWire(static_cast<v1::CopyReason>(kCopyReasonCount + 1)), std::nullopt);
  EXPECT_EQ(FromWire(static_cast<v1::CopyReason>(-1)), std::nullopt);
}

TEST(ReceivePathTest, RoundTrip) {
  EXPECT_EQ(FromWire(ToWire(ReceivePath::kCopy)), ReceivePath::kCopy);
  EXPECT_EQ(FromWire(ToWire(ReceivePath::kMap)), ReceivePath::kMap);
  EXPECT_EQ(FromWire(v1::RECEIVE_PATH_UNSPECIFIED), std::nullopt);
  EXPECT_EQ(FromWire(static_cast<v1::ReceivePath>(3)), std::nullopt);
}

}  // namespace
}  // namespace pagewire::wire
