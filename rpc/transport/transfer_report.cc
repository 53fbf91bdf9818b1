#include <pagewire/transfer_report.h>

#include <absl/strings/str_cat.h>

#include "base/string_view.h"

namespace pagewire {

std::string TransferReport::ToString() const {
  std::string text = absl::StrCat(payload_bytes, " bytes ", base::ToAbsl(SendPathName(send_path)), "/",
                                  base::ToAbsl(ReceivePathName(receive_path)), ", ", mapped_bytes, " mapped, copied");
  for (int i = 0; i < kCopyReasonCount; ++i) {
    if (copied_bytes[i] == 0) continue;
    absl::StrAppend(&text, " ", base::ToAbsl(CopyReasonName(static_cast<CopyReason>(i))), "=", copied_bytes[i]);
  }
  absl::StrAppend(&text, ", ", kernel_copied_bytes, " copied by the sender's kernel, ", chunks, " chunks");
  return text;
}

}  // namespace pagewire
