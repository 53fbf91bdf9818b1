// Calls and transfers as messages.
#pragma once

#include <pagewire/paths.h>

#include <absl/time/time.h>
#include <google/protobuf/repeated_field.h>

#include <array>
#include <cstdint>

#include "call/views.h"
#include "pagewire/admin/v1/admin.pb.h"

namespace pagewire::admin_service {

// The same moment by both clocks that views have.
struct Moment {
  absl::Time coarse;  // base::CoarseNow
  absl::Time wall;    // absl::Now

  static Moment Now();
};

// 0 for what is yet to come.
uint64_t MillisecondsSince(absl::Time then, absl::Time now);

admin::v1::Call Show(const call::CallView& view, const Moment& now);
admin::v1::Transfer Show(const call::TransferOfCall& view, const Moment& now);

// Those of which there are any.
void ShowCopied(const std::array<uint64_t, kCopyReasonCount>& by_reason,
                google::protobuf::RepeatedPtrField<admin::v1::Copied>& copied);

}  // namespace pagewire::admin_service
