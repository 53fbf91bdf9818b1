#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/transfer_report.h>

#include <set>
#include <string>
#include <string_view>

namespace pagewire {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TransferReportTest, ExplainsEveryCopiedByte) {
  TransferReport report;
  report.payload_bytes = 10'000;
  report.send_path = SendPath::kZerocopy;
  report.receive_path = ReceivePath::kMap;
  report.mapped_bytes = 4096;
  report.copied_bytes[static_cast<size_t>(CopyReason::kTail)] = 1808;
  report.copied_bytes[static_cast<size_t>(CopyReason::kCompoundPage)] = 4096;
  report.CountKernelCopy(CopyReason::kTail, 1808);
  report.chunks = 2;
  report.began = absl::UnixEpoch();
  report.finished = absl::UnixEpoch() + absl::Milliseconds(3);
  EXPECT_EQ(
      report.explain(),
      "10000 bytes, sent by zerocopy: the sender's kernel copied 1808 of them (1808 tail: the last bytes, less than "
      "a page, travel in a frame); received by map: 4096 mapped, 5904 copied (1808 tail: the last bytes, less than a "
      "page, travel in a frame; 4096 compound_page: the sender's kernel put them into compound pages, which cannot "
      "be mapped); 2 chunks in 3ms");
}

TEST(TransferReportTest, ExplainsAReceiversPartAlone) {
  TransferReport report;
  report.payload_bytes = 4096;
  report.receive_path = ReceivePath::kCopy;
  report.copied_bytes[static_cast<size_t>(CopyReason::kForced)] = 4096;
  report.digest = true;
  report.chunks = 1;
  report.began = absl::UnixEpoch();
  EXPECT_EQ(report.explain(),
            "4096 bytes, received by copy: 0 mapped, 4096 copied (4096 forced: the user asked for copying); with a "
            "digest; 1 chunks");
}

TEST(TransferReportTest, ExplainsWhatWasNotSent) {
  TransferReport report;
  EXPECT_EQ(report.explain(), "there was no payload");
  report.payload_bytes = 7;
  report.began = absl::UnixEpoch();
  EXPECT_EQ(report.explain(), "7 bytes, not sent yet; 0 chunks");
  report.send_path = SendPath::kCopy;
  report.CountKernelCopy(CopyReason::kSameHostCopy, 7);
  EXPECT_THAT(report.explain(),
              HasSubstr("the sender's kernel copied all of them (7 same_host_copy: both ends are on one "
                        "host, where copying is cheaper)"));
  EXPECT_THAT(report.explain(), Not(HasSubstr("received")));
}

TEST(TransferReportTest, EveryReasonHasATextOfItsOwn) {
  std::set<std::string_view> texts;
  for (int i = 0; i < kCopyReasonCount; ++i) texts.insert(CopyReasonText(static_cast<CopyReason>(i)));
  EXPECT_EQ(texts.size(), static_cast<size_t>(kCopyReasonCount));
  EXPECT_EQ(texts.count(""), 0u);
}

}  // namespace
}  // namespace pagewire
