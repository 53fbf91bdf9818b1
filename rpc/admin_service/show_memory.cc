#include "admin_service/show_memory.h"

#include <pagewire/quarantine.h>

#include "admin_service/shown_text.h"
#include "payload/budget.h"
#include "payload/pool.h"
#include "transport/arena.h"

namespace pagewire::admin_service {

admin::v1::Budget Show(const memory::BudgetView& view) {
  admin::v1::Budget budget;
  budget.set_id(view.id);
  budget.set_parent(view.parent);
  budget.set_name(Shown(view.name));
  budget.set_peer(Shown(view.peer));
  if (view.limit != memory::Budget::kNoLimit) budget.set_limit(view.limit);
  budget.set_held(view.reserved);
  budget.set_peak(view.peak);
  budget.set_waiting(view.waiting);
  return budget;
}

admin::v1::Holder Show(const memory::HolderView& view, const Moment& now) {
  admin::v1::Holder holder;
  holder.set_id(view.id);
  holder.set_budget(view.budget);
  holder.set_label(Shown(view.label));
  holder.set_peer(Shown(view.peer));
  holder.set_call(view.call);
  holder.set_bytes(view.bytes);
  holder.set_age_ms(MillisecondsSince(view.since, now.wall));
  if (view.delivered != absl::InfiniteFuture()) holder.set_delivered_ms(MillisecondsSince(view.delivered, now.coarse));
  return holder;
}

admin::v1::Memory ShowMemory() {
  admin::v1::Memory memory;
  const memory::PoolStats pool = memory::Pool::Default().stats();
  memory.mutable_pool()->set_in_use(pool.in_use);
  memory.mutable_pool()->set_peak(pool.peak);
  memory.mutable_pool()->set_idle(pool.idle);
  memory.mutable_pool()->set_committed(pool.committed);
  memory.mutable_pool()->set_reserved(pool.reserved);
  memory.mutable_pool()->set_given_back(pool.given_back);
  if (const transport::Arena* arena = transport::Arena::DefaultIfMade()) {
    const transport::Arena::Stats stats = arena->stats();
    memory.mutable_arena()->set_in_use(stats.in_use);
    memory.mutable_arena()->set_peak(stats.peak);
    memory.mutable_arena()->set_released(stats.released);
    memory.mutable_arena()->set_reserved(stats.reserved);
    memory.mutable_arena()->set_given_back(stats.given_back);
  }
  memory.set_quarantined(QuarantinedBytes());
  return memory;
}

}  // namespace pagewire::admin_service
