// A client that does what a program says: what is right at most points, and something else at some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fuzz/program_numbers.h"
#include "transport/raw_peer.h"
#include "transport/send_credit.h"

namespace pagewire::call {

class ProgramClient {
 public:
  explicit ProgramClient(ProgramNumbers& numbers) : numbers_(numbers) {}

  // Does one thing; its frames are appended to unsent().
  void Step();

  // Frames on their way; whoever sends them removes them.
  std::string& unsent() { return unsent_; }

  // Learns from what the server sent.
  void OnFrame(const transport::testing::ReceivedFrame& frame);

  // The highest call id in a frame so far.
  uint64_t last_call() const { return last_call_; }

  // Payload bytes in frames so far.
  uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  // A message or payload of ours.
  struct Item {
    uint64_t call_id;
    uint64_t payload_id;  // 0: a message
    uint64_t size = 0;
    uint64_t offset = 0;
    bool begun = false;
    bool granted = false;
  };
  // An item of the server's that waits for credit.
  struct Request {
    uint64_t call_id;
    uint64_t size;
  };

  void StartCall();
  void ContinueMessage();
  void StartCallWithPayload();
  void BeginPayload();
  void SendChunk();
  void EndPayload();
  void Cancel();
  void Acknowledge();
  void Grant();
  void SendHarmlessFrame();
  void BreakARule();

  bool Take(uint64_t call_id, uint64_t size);
  uint64_t AnyCall();
  // An item that fits the condition; null if there is none.
  template <typename Condition>
  Item* Find(Condition condition);
  void Erase(const Item* item);
  void Add(wire::FrameType type, uint8_t flags, const google::protobuf::MessageLite& body, std::string_view data = {});

  ProgramNumbers& numbers_;
  std::string unsent_;
  std::vector<Item> items_;
  std::vector<Request> requests_;
  transport::SendCredit credit_{64 << 10, 1 << 20};
  uint64_t last_call_ = 0;
  uint64_t last_payload_ = 0;
  uint64_t payload_bytes_ = 0;
  uint64_t received_bytes_ = 0;              // of the server's payloads
  uint64_t connection_limit_ = 64 << 10;     // that we granted
  std::map<uint64_t, uint64_t> call_limit_;  // that we granted
  std::map<uint64_t, uint64_t> call_taken_;  // by the server
};

}  // namespace pagewire::call
