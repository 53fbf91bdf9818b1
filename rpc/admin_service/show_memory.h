// Budgets, holders and the process's memory as messages.
#pragma once

#include "admin_service/show_call.h"
#include "pagewire/admin/v1/admin.pb.h"
#include "payload/budget_view.h"

namespace pagewire::admin_service {

admin::v1::Budget Show(const memory::BudgetView& view);
admin::v1::Holder Show(const memory::HolderView& view, const Moment& now);
admin::v1::Memory ShowMemory();

}  // namespace pagewire::admin_service
