// How much of a list one answer has, and where the next goes on.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "pagewire/admin/v1/admin.pb.h"

namespace pagewire::admin_service {

// Entries of an answer, unless it is asked for another number, and the most.
inline constexpr uint32_t kDefaultLimit = 100;
inline constexpr uint32_t kMaxLimit = 1000;

// An answer that is larger ends before its limit: a quarter of what clients take by default.
inline constexpr size_t kMaxAnswerBytes = 1 << 20;

// Ids of subjects that did not answer, in one answer.
inline constexpr size_t kMaxUnanswered = 1000;

uint32_t LimitOf(const admin::v1::Page& page);

// Fills an answer with entries until it is full.
template <typename Response, typename Entry>
class PageFiller {
 public:
  // Both outlive the filler. `entries` is a field of `response`.
  PageFiller(uint32_t limit, Response& response, google::protobuf::RepeatedPtrField<Entry>& entries)
      : limit_(limit), response_(response), entries_(entries) {}

  // Adds the next entry, in order. False: it did not fit; the answer says where to go on.
  bool Add(Entry entry, const admin::v1::Place& place) {
    bytes_ += entry.ByteSizeLong();
    if (static_cast<uint32_t>(entries_.size()) >= limit_ || (bytes_ > kMaxAnswerBytes && !entries_.empty())) {
      *response_.mutable_next() = last_;
      return false;
    }
    *entries_.Add() = std::move(entry);
    last_ = place;
    return true;
  }

 private:
  const uint32_t limit_;
  Response& response_;
  google::protobuf::RepeatedPtrField<Entry>& entries_;
  admin::v1::Place last_;
  size_t bytes_ = 0;
};

}  // namespace pagewire::admin_service
