// What holds for the calls of one method at the side that has limits for it.
#pragma once

#include <pagewire/method_limits.h>

#include <absl/container/node_hash_map.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "call/admission.h"
#include "transport/item_limits.h"
#include "transport/session_options.h"

namespace pagewire::call {

struct MethodTerms {
  transport::ItemLimits items;
  uint64_t max_metadata_bytes = 0;
};

// Filled at once, then constant. Limits that a method does not have of its own are those of `session`.
class MethodTermsTable {
 public:
  MethodTermsTable() = default;
  MethodTermsTable(const std::map<std::string, MethodLimits>& limits, const transport::SessionOptions& session);

  // Null for a method without limits of its own.
  const MethodTerms* Find(std::string_view method) const;

  // Raises what the peer is told, so that it holds for all methods.
  void RaiseMost(transport::SessionOptions& session) const;

  // Tells which methods' calls are counted; the table outlives `admission`.
  void LimitCalls(Admission& admission) const;

 private:
  absl::node_hash_map<std::string, MethodTerms> terms_;
  std::map<std::string, uint32_t> max_calls_;
};

}  // namespace pagewire::call
