#include "call/method_terms.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "base/string_view.h"
#include "wire/limits.h"

namespace pagewire::call {

MethodTermsTable::MethodTermsTable(const std::map<std::string, MethodLimits>& limits,
                                   const transport::SessionOptions& session) {
  for (const auto& [method, own] : limits) {
    MethodTerms& terms = terms_[method];
    terms.items = session.limits;
    if (own.max_message_bytes.has_value()) {
      terms.items.max_message_bytes = *own.max_message_bytes;
      terms.items.message_option = "MethodLimits::max_message_bytes";
    }
    if (own.max_payload_bytes.has_value()) {
      terms.items.max_payload_bytes = *own.max_payload_bytes;
      terms.items.payload_option = "MethodLimits::max_payload_bytes";
    }
    terms.max_metadata_bytes = own.max_metadata_bytes.value_or(session.max_metadata_bytes);
    if (own.max_concurrent_calls.has_value()) max_calls_[method] = *own.max_concurrent_calls;
  }
}

const MethodTerms* MethodTermsTable::Find(std::string_view method) const {
  if (terms_.empty()) return nullptr;  // as mostly: the name need not be hashed for every call
  const auto it = terms_.find(base::ToAbsl(method));
  return it == terms_.end() ? nullptr : &it->second;
}

void MethodTermsTable::RaiseMost(transport::SessionOptions& session) const {
  for (const auto& [method, terms] : terms_) {
    const uint64_t payload = terms.items.max_payload_bytes == 0 ? wire::kMaxBytes : terms.items.max_payload_bytes;
    session.most_message_bytes = std::max(session.most_message_bytes, terms.items.max_message_bytes);
    session.most_payload_bytes = std::max(session.most_payload_bytes, payload);
    session.most_metadata_bytes = std::max(session.most_metadata_bytes, terms.max_metadata_bytes);
  }
}

void MethodTermsTable::LimitCalls(Admission& admission) const {
  for (const auto& [method, max_calls] : max_calls_) admission.LimitMethod(method, max_calls);
}

}  // namespace pagewire::call
