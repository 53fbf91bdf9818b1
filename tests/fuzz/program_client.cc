#include "fuzz/program_client.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "fuzz/payload_bytes.h"
#include "wire/frame_encoder.h"

namespace pagewire::call {
namespace {

using transport::testing::ReceivedFrame;
using wire::FrameType;

constexpr const char* kMethods[] = {"/t.S/Echo", "/t.S/Put", "/t.S/Get", "/t.S/Swap"};
constexpr const char* kPayloadMethods[] = {"/t.S/Put", "/t.S/Swap", "/t.S/Swap", "/t.S/Echo"};
constexpr uint64_t kMessageSizes[] = {0, 1, 5, 1000, 16'384, 20'000, 49'999, 50'000, 50'001, 65'536, 200'000};
constexpr uint64_t kPayloadSizes[] = {0,      1,       4095,    4096,    4097,    10'000, 65'536,
                                      66'000, 150'000, 262'144, 299'999, 300'000, 300'001};

// What the server's settings allow in one frame.
constexpr uint64_t kMaxData = 64 << 10;

}  // namespace

void ProgramClient::Step() {
  switch (numbers_.Below(16)) {
    case 0:
      return StartCall();
    case 1:
      return ContinueMessage();
    case 2:
    case 3:
    case 4:
      return StartCallWithPayload();
    case 5:
      return BeginPayload();
    case 6:
    case 7:
    case 8:
      return SendChunk();
    case 9:
    case 10:
      return EndPayload();
    case 11:
      return Cancel();
    case 12:
      return Acknowledge();
    case 13:
    case 14:
      return Grant();
    case 15:
      if (numbers_.Byte() >= 192) return BreakARule();
      return SendHarmlessFrame();
  }
}

void ProgramClient::StartCall() {
  wire::v1::CallStart start;
  start.set_call_id(numbers_.Nearly(last_call_ + 1));
  last_call_ = std::max(last_call_, start.call_id());
  start.set_method(numbers_.Rarely() ? "/t.S/Nothing" : numbers_.Pick(kMethods));
  const uint8_t shape = numbers_.Byte();
  if (shape % 8 == 1) start.set_timeout_us(uint64_t{1} << (numbers_.Byte() % 64));
  if (shape % 8 == 2) start.add_metadata()->set_key(std::string(numbers_.Byte(), 'K'));
  if (shape % 8 == 3) {
    wire::v1::Metadata& pair = *start.add_metadata();
    pair.set_key("key");
    pair.set_value(std::string(numbers_.Byte() * 100, 'v'));
  }
  const uint64_t size = numbers_.Pick(kMessageSizes);
  start.set_message_size(numbers_.Nearly(size));
  const uint8_t end = shape < 250 ? wire::kFlagEndStream : 0;
  if (!Take(start.call_id(), wire::MessageCredit(size))) {
    items_.push_back({.call_id = start.call_id(), .payload_id = 0, .size = size, .begun = true});
    return Add(FrameType::kCallStart, transport::testing::kAnnounced, start);
  }
  if (size > kMaxData || shape / 8 % 4 == 1) {
    const uint64_t first = std::min(size / 2, kMaxData);
    items_.push_back(
        {.call_id = start.call_id(), .payload_id = 0, .size = size, .offset = first, .begun = true, .granted = true});
    if (size == 0) items_.pop_back();
    const uint8_t more = size == 0 ? end : wire::kFlagMore;
    return Add(FrameType::kCallStart, transport::testing::kWhole | more, start, std::string(first, 'm'));
  }
  Add(FrameType::kCallStart, transport::testing::kWhole | end, start, std::string(size, 'm'));
}

void ProgramClient::ContinueMessage() {
  Item* item = Find([](const Item& candidate) { return candidate.payload_id == 0 && candidate.granted; });
  if (item == nullptr) return;
  wire::v1::MessagePart part;
  part.set_call_id(item->call_id);
  const uint64_t length = std::min({item->size - item->offset, kMaxData, 1 + numbers_.Byte() * uint64_t{500}});
  item->offset += length;
  const bool done = item->offset == item->size;
  const uint8_t flags = wire::kFlagContinuation | (done ? wire::kFlagEndStream : wire::kFlagMore);
  Add(FrameType::kMessage, flags, part, std::string(length, 'm'));
  if (done) Erase(item);
}

void ProgramClient::StartCallWithPayload() {
  wire::v1::CallStart start;
  start.set_call_id(++last_call_);
  start.set_method(numbers_.Pick(kPayloadMethods));
  if (numbers_.Byte() % 4 == 3) start.set_timeout_us(uint64_t{1} << (numbers_.Byte() % 28));
  start.set_payload_id(numbers_.Nearly(++last_payload_));
  const std::string message = absl::StrCat(start.payload_id());
  start.set_message_size(message.size());
  const bool covered = Take(start.call_id(), wire::MessageCredit(message.size()));
  items_.push_back(
      {.call_id = start.call_id(), .payload_id = start.payload_id(), .size = numbers_.Pick(kPayloadSizes)});
  // Numbers of a few digits are always covered, unless the program has broken the rules already.
  if (!covered) return;
  const uint8_t end = numbers_.Rarely() ? 0 : wire::kFlagEndStream;
  Add(FrameType::kCallStart, transport::testing::kWhole | end, start, message);
  BeginPayload();
}

void ProgramClient::BeginPayload() {
  Item* item = Find([](const Item& candidate) { return !candidate.begun; });
  if (item == nullptr) return;
  item->begun = true;
  item->granted = Take(item->call_id, item->size);
  wire::v1::PayloadBegin begin;
  begin.set_payload_id(numbers_.Nearly(item->payload_id));
  begin.set_call_id(item->call_id);
  begin.set_size(numbers_.Nearly(item->size));
  Add(FrameType::kPayloadBegin, item->granted ? wire::kFlagCovered : 0, begin);
}

void ProgramClient::SendChunk() {
  Item* item = Find([](const Item& candidate) {
    return candidate.payload_id != 0 && candidate.granted && candidate.size - candidate.offset >= 4096;
  });
  if (item == nullptr) return;
  const uint64_t pages = std::min<uint64_t>((item->size - item->offset) / 4096, 1 + numbers_.Byte() % 64);
  wire::v1::Chunk chunk;
  chunk.set_payload_id(item->payload_id);
  chunk.set_offset(numbers_.Nearly(item->offset) / 4096 * 4096);
  wire::AppendChunkHeader(chunk, pages * 4096, unsent_);
  unsent_ += PayloadBytes(item->payload_id, item->offset, pages * 4096);
  item->offset += pages * 4096;
  payload_bytes_ += pages * 4096;
}

void ProgramClient::EndPayload() {
  const bool complete = !numbers_.Rarely();
  Item* item = Find([complete](const Item& candidate) {
    if (candidate.payload_id == 0 || !candidate.begun) return false;
    return complete ? candidate.granted && candidate.size - candidate.offset < 4096 : true;
  });
  if (item == nullptr) return;
  wire::v1::PayloadEnd end;
  end.set_payload_id(item->payload_id);
  if (complete) {
    end.set_outcome(wire::v1::PayloadEnd::COMPLETE);
    end.set_size(numbers_.Nearly(item->size));
    const std::string tail = PayloadBytes(item->payload_id, item->offset, end.size() % 4096);
    payload_bytes_ += tail.size();
    Add(FrameType::kPayloadEnd, 0, end, tail);
  } else {
    end.set_outcome(numbers_.Below(2) == 0 ? wire::v1::PayloadEnd::ABORTED : wire::v1::PayloadEnd::SOURCE_FAILED);
    end.set_size(item->offset);
    if (end.outcome() == wire::v1::PayloadEnd::SOURCE_FAILED) end.set_code(15);
    if (!item->granted) credit_.StopWaiting(item->call_id);
    Add(FrameType::kPayloadEnd, 0, end);
  }
  Erase(item);
}

void ProgramClient::Cancel() {
  wire::v1::Cancel cancel;
  cancel.set_call_id(AnyCall());
  if (cancel.call_id() == 0) return;
  Add(FrameType::kCancel, 0, cancel);
  // Its message is abandoned, and so is a payload that has not begun; one that has goes on or is ended later.
  std::erase_if(items_, [&](const Item& item) {
    return item.call_id == cancel.call_id() && (item.payload_id == 0 || !item.begun);
  });
}

void ProgramClient::Acknowledge() {
  wire::v1::Ack ack;
  ack.set_received_bytes(numbers_.Nearly(received_bytes_));
  Add(FrameType::kAck, 0, ack);
}

void ProgramClient::Grant() {
  wire::v1::Credit credit;
  if (requests_.empty()) {
    connection_limit_ += numbers_.Pick(kPayloadSizes);
  } else {
    const Request request = requests_.front();
    requests_.erase(requests_.begin());
    connection_limit_ += request.size;
    call_taken_[request.call_id] += request.size;
    uint64_t& limit = call_limit_[request.call_id];
    limit = std::max({limit, call_taken_[request.call_id], uint64_t{1} << 20});
    credit.set_call_id(request.call_id);
    credit.set_call_limit(numbers_.Nearly(limit));
  }
  credit.set_connection_limit(numbers_.Nearly(connection_limit_));
  Add(FrameType::kCredit, 0, credit);
}

void ProgramClient::BreakARule() {
  switch (numbers_.Below(5)) {
    case 0: {
      wire::v1::CallStatus status;
      status.set_call_id(AnyCall());
      return Add(FrameType::kStatus, 0, status);
    }
    case 1: {
      wire::v1::MessagePart part;
      part.set_call_id(AnyCall());
      const uint64_t size = numbers_.Pick(kMessageSizes);
      part.set_message_size(size);
      return Add(FrameType::kMessage, numbers_.Byte() & 0x1f, part, std::string(std::min(size, kMaxData), 'm'));
    }
    case 2: {
      wire::v1::Settings settings;
      wire::v1::Setting& setting = *settings.add_settings();
      setting.set_id(1 + numbers_.Byte() % 11);
      setting.set_value(uint64_t{1} << (numbers_.Byte() % 64));
      return Add(FrameType::kSettings, 0, settings);
    }
    case 3:
      // Sent once more: whatever is on its way.
      unsent_ += std::string(unsent_.substr(0, 1000));
      return;
    case 4:
      unsent_.append(numbers_.Raw(numbers_.Byte()));
      return;
  }
}

void ProgramClient::SendHarmlessFrame() {
  switch (numbers_.Below(3)) {
    case 0:
      return Add(static_cast<FrameType>(0x80 + numbers_.Byte() % 128), numbers_.Byte(), wire::v1::Ping(), "skipped");
    case 1:
      return Add(FrameType::kPing, 0, wire::v1::Ping());
    case 2: {
      wire::v1::GoAway go_away;
      go_away.set_message("soon");
      return Add(FrameType::kGoAway, 0, go_away);
    }
  }
}

void ProgramClient::OnFrame(const ReceivedFrame& frame) {
  switch (frame.type()) {
    case FrameType::kCredit: {
      const auto& credit = std::get<wire::v1::Credit>(frame.body);
      if (!credit_.OnGrant(credit.connection_limit(), credit.call_id(), credit.call_limit())) return;
      for (Item& item : items_) {
        if (item.call_id == credit.call_id() && item.begun) item.granted = true;
      }
      return;
    }
    case FrameType::kMessage: {
      const auto& part = std::get<wire::v1::MessagePart>(frame.body);
      if (!frame.has(wire::kFlagHasMessage)) return;
      if (!frame.has(wire::kFlagCovered)) {
        return requests_.push_back({part.call_id(), wire::MessageCredit(part.message_size())});
      }
      call_taken_[part.call_id()] += wire::MessageCredit(part.message_size());
      return;
    }
    case FrameType::kPayloadBegin: {
      const auto& begin = std::get<wire::v1::PayloadBegin>(frame.body);
      if (!frame.has(wire::kFlagCovered)) return requests_.push_back({begin.call_id(), begin.size()});
      call_taken_[begin.call_id()] += begin.size();
      return;
    }
    case FrameType::kChunk:
      received_bytes_ += frame.prefix.chunk_length;
      return;
    case FrameType::kPayloadEnd:
      received_bytes_ += frame.data.size();
      return;
    case FrameType::kStatus: {
      const uint64_t call_id = std::get<wire::v1::CallStatus>(frame.body).call_id();
      std::erase_if(requests_, [call_id](const Request& request) { return request.call_id == call_id; });
      return;
    }
    default:
      return;
  }
}

// Whether credit covers an item; if not, the item waits.
bool ProgramClient::Take(uint64_t call_id, uint64_t size) {
  if (credit_.TryTake(call_id, size)) return true;
  credit_.Wait(call_id, size);
  return numbers_.Rarely();  // to say so all the same breaks a rule
}

uint64_t ProgramClient::AnyCall() {
  if (last_call_ == 0) return 0;
  const uint64_t back = numbers_.Below(std::min<uint64_t>(last_call_, 4));
  return numbers_.Nearly(last_call_ - back);
}

template <typename Condition>
ProgramClient::Item* ProgramClient::Find(Condition condition) {
  std::vector<Item*> fitting;
  for (Item& item : items_) {
    if (condition(item)) fitting.push_back(&item);
  }
  return fitting.empty() ? nullptr : fitting[numbers_.Below(fitting.size())];
}

void ProgramClient::Erase(const Item* item) { items_.erase(items_.begin() + (item - items_.data())); }

void ProgramClient::Add(FrameType type, uint8_t flags, const google::protobuf::MessageLite& body,
                        std::string_view data) {
  wire::AppendFrame(type, flags, body, data, unsent_);
}

}  // namespace pagewire::call
