// Watches what a server sends over one connection and says when it is what no server may send.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "transport/raw_peer.h"

namespace pagewire::call {

class ConnectionWitness {
 public:
  // `last_call` and `payload_bytes`: the highest call id and how many payload bytes the client has sent, or is about
  // to.
  std::optional<std::string> Look(const transport::testing::ReceivedFrame& frame, uint64_t last_call,
                                  uint64_t payload_bytes);

  // A handler was given a payload of so many bytes.
  void Delivered(uint64_t bytes) { delivered_bytes_ += bytes; }

 private:
  struct OpenPayload {
    uint64_t call_id;
    uint64_t size;
    uint64_t content;  // the id whose bytes it has
    uint64_t offset = 0;
  };
  std::optional<std::string> LookAtMessage(const transport::testing::ReceivedFrame& frame);
  std::optional<std::string> LookAtBegin(const wire::v1::PayloadBegin& begin);
  std::optional<std::string> LookAtChunk(const transport::testing::ReceivedFrame& frame);
  std::optional<std::string> LookAtEnd(const transport::testing::ReceivedFrame& frame);
  std::optional<std::string> LookAtAck(const wire::v1::Ack& ack, uint64_t payload_bytes);
  std::optional<std::string> LookAtStatus(const wire::v1::CallStatus& status, uint64_t last_call);

  uint64_t delivered_bytes_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t credit_ = 0;
  uint64_t last_payload_ = 0;
  std::map<uint64_t, uint64_t> waiting_;  // call to the payload of its message, which waits for credit
  std::set<uint64_t> answered_;
  std::map<uint64_t, OpenPayload> open_;
  std::map<uint64_t, uint64_t> content_of_;  // announced payload: the id whose bytes it has
};

}  // namespace pagewire::call
