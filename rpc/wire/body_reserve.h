// Frame bodies that own memory, kept so that the next of their kind has it.
#pragma once

#include <cstddef>
#include <variant>

#include "wire/frame.h"

namespace pagewire::wire {

// Of the kinds that come all the time: CALL_START has a name, ACK has lists.
class BodyReserve {
 public:
  // Keeps what `body` is, if it is such and small; its content is gone. Cleared lists keep the memory of each of their
  // elements, and whoever sends them could make that grow from frame to frame, so long ones are not kept.
  void Keep(FrameBody& body) {
    if (auto* start = std::get_if<v1::CallStart>(&body)) {
      if (start->metadata_size() == 0 && start->method().size() <= kLongestMethod) return start_.Swap(start);
    } else if (auto* ack = std::get_if<v1::Ack>(&body)) {
      if (ack->receipts_size() <= kMostReceipts && ack->released_size() <= kMostRanges) return ack_.Swap(ack);
    } else {
      return;
    }
    body.emplace<v1::Ping>();  // its memory goes
  }

  // EmplaceBody, with the memory that was kept.
  google::protobuf::Message& Emplace(FrameType type, FrameBody& body) {
    if (type == FrameType::kCallStart) return Refill(start_, body);
    if (type == FrameType::kAck) return Refill(ack_, body);
    return EmplaceBody(type, body);
  }

 private:
  static constexpr size_t kLongestMethod = 1024;
  static constexpr int kMostReceipts = 8;  // each has at most one count per reason
  static constexpr int kMostRanges = 32;

  template <typename Body>
  static google::protobuf::Message& Refill(Body& kept, FrameBody& body) {
    auto* same = std::get_if<Body>(&body);
    if (same == nullptr) same = &body.emplace<Body>();
    same->Swap(&kept);
    same->Clear();
    return *same;
  }

  v1::CallStart start_;
  v1::Ack ack_;
};

}  // namespace pagewire::wire
