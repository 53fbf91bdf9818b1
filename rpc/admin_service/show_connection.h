// Connections as messages.
#pragma once

#include <absl/time/time.h>

#include "call/views.h"
#include "pagewire/admin/v1/admin.pb.h"

namespace pagewire::admin_service {

// `now`: base::CoarseNow.
admin::v1::Connection Show(const call::ConnectionView& view, absl::Time now);

}  // namespace pagewire::admin_service
