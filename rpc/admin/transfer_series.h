// The metrics of what became of payloads: paths, and bytes by copy reason.
#pragma once

#include <pagewire/metrics_registry.h>
#include <pagewire/transfer_totals.h>

#include <string_view>

#include "admin/family_maker.h"

namespace pagewire::admin {

// Payloads of one direction. Any thread; the families' registry must live.
class TransferSeries {
 public:
  static TransferSeries OfSent(FamilyMaker& maker);
  static TransferSeries OfReceived(FamilyMaker& maker);

  void Add(std::string_view method, const TransferTotals& totals) const;

 private:
  void AddPaths(std::string_view method, const TransferTotals& totals) const;

  CounterFamily* payloads_ = nullptr;
  CounterFamily* mapped_bytes_ = nullptr;
  CounterFamily* copied_bytes_ = nullptr;

  // Null for received payloads, of which only the sender knows this, and the send path.
  CounterFamily* kernel_copied_bytes_ = nullptr;
};

}  // namespace pagewire::admin
