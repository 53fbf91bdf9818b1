#include "transport/raw_peer.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

namespace pagewire::transport::testing {
namespace {

using wire::FrameType;

constexpr size_t kChunk = 64 << 10;

}  // namespace

wire::Settings DefaultSettings() {
  wire::Settings settings;
  settings.initial_connection_credit = wire::AssumedSettings().initial_connection_credit;
  return settings;
}

RawPeer::RawPeer(ManualLoop& loop, std::unique_ptr<ByteStream> stream, bool initiator)
    : loop_(loop),
      stream_(std::move(stream)),
      initiator_(initiator),
      decoder_(std::make_unique<wire::FrameDecoder>(wire::Settings().frame_limits())) {
  stream_->Start(this);
}

bool RawPeer::Send(std::string_view bytes) {
  while (!bytes.empty() && stream_ != nullptr) {
    const iovec from = {const_cast<char*>(bytes.data()), bytes.size()};
    const IoResult result = stream_->Write({&from, 1}, WriteOptions{});
    bytes.remove_prefix(result.bytes);
    if (result.state == IoState::kFailed) break;
    if (loop_.RunUntilIdle() == 0 && result.bytes == 0) break;
  }
  loop_.RunUntilIdle();
  return bytes.empty();
}

bool RawPeer::Greet(const wire::Settings& settings) {
  const std::string session_id = initiator_ ? std::string(wire::kSessionIdBytes, 's') : std::string();
  decoder_ = std::make_unique<wire::FrameDecoder>(settings.frame_limits());
  return Greet(wire::MakePreface(session_id, 0, 0, settings, "raw peer"));
}

bool RawPeer::Greet(const wire::Preface& preface) {
  if (decoder_ == nullptr) decoder_ = std::make_unique<wire::FrameDecoder>(DefaultSettings().frame_limits());
  std::string bytes;
  wire::AppendPreface(preface, bytes);
  return Send(bytes);
}

bool RawPeer::SendFrame(FrameType type, uint8_t flags, const google::protobuf::MessageLite& body,
                        std::string_view data) {
  std::string bytes;
  wire::AppendFrame(type, flags, body, data, bytes);
  return Send(bytes);
}

bool RawPeer::StartCall(uint64_t call_id, std::string_view method, std::string_view message, uint64_t payload_id,
                        uint8_t flags) {
  wire::v1::CallStart start;
  start.set_call_id(call_id);
  start.set_method(std::string(method));
  start.set_message_size(message.size());
  start.set_payload_id(payload_id);
  return SendFrame(FrameType::kCallStart, flags, start, message);
}

bool RawPeer::AnnounceCall(uint64_t call_id, std::string_view method, uint64_t message_size, uint64_t payload_id) {
  wire::v1::CallStart start;
  start.set_call_id(call_id);
  start.set_method(std::string(method));
  start.set_message_size(message_size);
  start.set_payload_id(payload_id);
  return SendFrame(FrameType::kCallStart, kAnnounced, start);
}

bool RawPeer::Message(uint64_t call_id, std::string_view message, uint64_t payload_id, uint8_t flags) {
  return MessageStart(call_id, message.size(), message, flags, payload_id);
}

bool RawPeer::MessageStart(uint64_t call_id, uint64_t message_size, std::string_view first, uint8_t flags,
                           uint64_t payload_id) {
  wire::v1::MessagePart part;
  part.set_call_id(call_id);
  part.set_message_size(message_size);
  part.set_payload_id(payload_id);
  return SendFrame(FrameType::kMessage, flags, part, first);
}

bool RawPeer::MessageRest(uint64_t call_id, std::string_view rest, uint8_t more_flags) {
  wire::v1::MessagePart part;
  part.set_call_id(call_id);
  return SendFrame(FrameType::kMessage, wire::kFlagContinuation | more_flags, part, rest);
}

bool RawPeer::EndStream(uint64_t call_id) {
  wire::v1::MessagePart part;
  part.set_call_id(call_id);
  return SendFrame(FrameType::kMessage, wire::kFlagEndStream, part);
}

bool RawPeer::BeginPayload(uint64_t payload_id, uint64_t call_id, uint64_t size, bool covered) {
  wire::v1::PayloadBegin begin;
  begin.set_payload_id(payload_id);
  begin.set_call_id(call_id);
  begin.set_size(size);
  return SendFrame(FrameType::kPayloadBegin, covered ? wire::kFlagCovered : 0, begin);
}

bool RawPeer::Chunk(uint64_t payload_id, uint64_t offset, std::string_view bytes) {
  wire::v1::Chunk chunk;
  chunk.set_payload_id(payload_id);
  chunk.set_offset(offset);
  std::string frame;
  wire::AppendChunkHeader(chunk, bytes.size(), frame);
  frame.append(bytes);
  return Send(frame);
}

bool RawPeer::EndPayload(uint64_t payload_id, uint64_t size, std::string_view tail) {
  wire::v1::PayloadEnd end;
  end.set_payload_id(payload_id);
  end.set_size(size);
  end.set_outcome(wire::v1::PayloadEnd::COMPLETE);
  return SendFrame(FrameType::kPayloadEnd, 0, end, tail);
}

bool RawPeer::AbortPayload(uint64_t payload_id, uint64_t size_so_far) {
  wire::v1::PayloadEnd end;
  end.set_payload_id(payload_id);
  end.set_size(size_so_far);
  end.set_outcome(wire::v1::PayloadEnd::ABORTED);
  return SendFrame(FrameType::kPayloadEnd, 0, end);
}

bool RawPeer::WholePayload(uint64_t payload_id, uint64_t call_id, std::string_view bytes) {
  if (!BeginPayload(payload_id, call_id, bytes.size())) return false;
  const size_t tail = bytes.size() % wire::kChunkUnit;
  for (size_t offset = 0; offset < bytes.size() - tail; offset += kChunk) {
    const size_t length = std::min(kChunk, bytes.size() - tail - offset);
    if (!Chunk(payload_id, offset, bytes.substr(offset, length))) return false;
  }
  return EndPayload(payload_id, bytes.size(), bytes.substr(bytes.size() - tail));
}

bool RawPeer::Ack(uint64_t received_bytes) {
  wire::v1::Ack ack;
  ack.set_received_bytes(received_bytes);
  return SendFrame(FrameType::kAck, 0, ack);
}

bool RawPeer::Grant(uint64_t connection_limit, uint64_t call_id, uint64_t call_limit) {
  wire::v1::Credit credit;
  credit.set_connection_limit(connection_limit);
  credit.set_call_id(call_id);
  credit.set_call_limit(call_limit);
  return SendFrame(FrameType::kCredit, 0, credit);
}

bool RawPeer::Cancel(uint64_t call_id) {
  wire::v1::Cancel cancel;
  cancel.set_call_id(call_id);
  cancel.set_code(static_cast<uint32_t>(absl::StatusCode::kCancelled));
  return SendFrame(FrameType::kCancel, 0, cancel);
}

bool RawPeer::Status(uint64_t call_id, absl::StatusCode code, std::string_view message) {
  wire::v1::CallStatus status;
  status.set_call_id(call_id);
  status.set_code(static_cast<uint32_t>(code));
  status.set_message(std::string(message));
  return SendFrame(FrameType::kStatus, 0, status);
}

bool RawPeer::Ping(uint64_t id) {
  wire::v1::Ping ping;
  ping.set_id(id);
  return SendFrame(FrameType::kPing, 0, ping);
}

bool RawPeer::ChangeSetting(wire::SettingId id, uint64_t value) {
  wire::v1::Settings settings;
  wire::v1::Setting& setting = *settings.add_settings();
  setting.set_id(static_cast<uint32_t>(id));
  setting.set_value(value);
  return SendFrame(FrameType::kSettings, 0, settings);
}

std::vector<ReceivedFrame> RawPeer::TakeAll() { return std::exchange(received_, {}); }

void RawPeer::ReadAgain() {
  reading_ = true;
  OnReadable();
  loop_.RunUntilIdle();
}

void RawPeer::CloseWrite() {
  stream_->CloseWrite();
  loop_.RunUntilIdle();
}

void RawPeer::Reset() {
  stream_->Abort();
  loop_.RunUntilIdle();
}

void RawPeer::SayLast(FrameType type, const google::protobuf::MessageLite& body) {
  std::string bytes;
  wire::AppendFrame(type, 0, body, {}, bytes);
  const iovec from = {bytes.data(), bytes.size()};
  stream_->Write({&from, 1}, WriteOptions{});
  stream_.reset();
}

void RawPeer::OnReadable() {
  char buffer[16 << 10];
  const iovec into = {buffer, sizeof(buffer)};
  while (reading_ && !ended_) {
    const IoResult result = stream_->Read({&into, 1});
    if (result.state == IoState::kBlocked) return;
    if (result.state != IoState::kOk) {
      ended_ = true;
      return;
    }
    Decode(std::string_view(buffer, result.bytes));
  }
}

void RawPeer::Decode(std::string_view bytes) {
  while (!bytes.empty() && misbehaviour_.empty()) {
    if (!preface_.has_value()) {
      const absl::StatusOr<size_t> taken = preface_decoder_.Decode(bytes);
      if (!taken.ok()) {
        misbehaviour_ = std::string(taken.status().message());
        return;
      }
      bytes.remove_prefix(*taken);
      if (preface_decoder_.done()) preface_ = preface_decoder_.preface();
      continue;
    }
    if (decoder_->chunk_remaining() > 0) {
      const size_t taken = std::min<size_t>(bytes.size(), decoder_->chunk_remaining());
      received_.back().chunk.append(bytes.substr(0, taken));
      decoder_->ConsumeChunk(static_cast<uint32_t>(taken));
      bytes.remove_prefix(taken);
      continue;
    }
    const absl::StatusOr<wire::FrameDecoder::Step> step = decoder_->Decode(bytes);
    if (!step.ok()) {
      misbehaviour_ = std::string(step.status().message());
      return;
    }
    bytes.remove_prefix(step->consumed);
    if (step->event != wire::FrameDecoder::Event::kFrame) continue;
    wire::Frame& frame = decoder_->frame();
    if (frame.type() == FrameType::kChunk) {
      ++chunk_frames_;
      payload_bytes_ += frame.prefix.chunk_length;
    } else if (frame.type() == FrameType::kPayloadEnd) {
      payload_bytes_ += frame.data.size();
    }
    received_.push_back({frame.prefix, std::move(frame.body), std::string(frame.data), {}});
  }
}

std::string Pattern(size_t size, uint32_t seed) {
  std::string bytes(size, '\0');
  uint32_t state = seed * 2654435761u + 1;
  for (char& c : bytes) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace pagewire::transport::testing
