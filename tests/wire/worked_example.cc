#include "wire/worked_example.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <string_view>
#include <variant>

#include "base/string_view.h"
#include "wire/decoded.h"
#include "wire/frame_encoder.h"
#include "wire/preface.h"

namespace pagewire::wire {
namespace {

constexpr size_t kBytesPerLine = 16;
constexpr size_t kMeaningColumns = 66;

class Writer {
 public:
  void Title(std::string_view text) { absl::StrAppend(&text_, text_.empty() ? "" : "\n", base::ToAbsl(text), "\n"); }

  // `bytes` on the left, their meaning on the right.
  void Bytes(std::string_view bytes, std::string_view meaning) {
    while (!bytes.empty() || !meaning.empty()) {
      std::string line;
      for (const char c : bytes.substr(0, kBytesPerLine)) {
        absl::StrAppend(&line, absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2), " ");
      }
      bytes.remove_prefix(std::min(bytes.size(), kBytesPerLine));
      Line(line, TakeLine(meaning));
    }
  }

  void Line(std::string_view left, std::string_view right) {
    std::string line = absl::StrFormat("  %-50s%s", base::ToAbsl(left), base::ToAbsl(right));
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text_, line, "\n");
  }

  const std::string& text() const { return text_; }

 private:
  // As many words off the front of `text` as fit on a line.
  static std::string_view TakeLine(std::string_view& text) {
    size_t end = text.size();
    if (end > kMeaningColumns) end = text.rfind(' ', kMeaningColumns);
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    return line;
  }

  std::string text_;
};

void WritePreface(std::string_view side, const Preface& preface, Writer& writer) {
  std::string bytes;
  AppendPreface(preface, bytes);
  const std::string_view all = bytes;
  const std::string_view body = all.substr(kPrefaceHeadBytes);
  writer.Title(absl::StrCat(base::ToAbsl(side), ": preface"));
  writer.Bytes(all.substr(0, 8), "magic");
  writer.Bytes(all.substr(8, 2), absl::StrCat("min_version ", preface.min_version));
  writer.Bytes(all.substr(10, 2), absl::StrCat("max_version ", preface.max_version));
  writer.Bytes(all.substr(12, 4), absl::StrCat("body_length ", body.size()));
  const size_t id_length = preface.body.session_id().empty() ? 0 : 2 + kSessionIdBytes;  // after its tag and length
  if (id_length > 0) writer.Bytes(body.substr(0, id_length), "session_id");
  std::string_view rest = body.substr(id_length);
  for (const v1::Setting& setting : preface.body.settings()) {
    const auto* rule = std::find_if(SettingRules().begin(), SettingRules().end(), [&](const SettingRule& row) {
      return static_cast<uint32_t>(row.id) == setting.id();
    });
    const size_t length = 2 + setting.ByteSizeLong();  // after the field's tag and length
    writer.Bytes(rest.substr(0, length), absl::StrCat(base::ToAbsl(rule->name), " ", setting.value()));
    rest.remove_prefix(length);
  }
  writer.Bytes(rest, absl::StrCat("agent \"", preface.body.agent(), "\""));
}

void WriteFrame(std::string_view side, std::string_view bytes, Writer& writer) {
  const Decoded decoded = DecodeAll(bytes, AllAtOnce);
  const ExpectedEvent& frame = decoded.events.at(0);
  const size_t body_length =
      bytes.size() - kFramePrefixBytes - frame.data.size() - (frame.chunk > 0 ? decoded.chunks.size() : 0);
  writer.Title(absl::StrCat(base::ToAbsl(side), ": ", frame.head));
  writer.Bytes(bytes.substr(0, 4), "type, flags, reserved");
  writer.Bytes(bytes.substr(4, 4), absl::StrCat("body_length ", body_length));
  writer.Bytes(bytes.substr(8, 4), absl::StrCat("data_length ", frame.data.size()));
  writer.Bytes(bytes.substr(12, 4), absl::StrCat("chunk_length ", frame.chunk));
  writer.Bytes(bytes.substr(16, 4), absl::StrCat("follow_length ", frame.follow));
  writer.Bytes(bytes.substr(kFramePrefixBytes, body_length), frame.body);
  if (!frame.data.empty()) writer.Bytes(frame.data, "data");
  if (frame.chunk > 0) {
    writer.Line(absl::StrFormat("%02x, %d times", static_cast<unsigned char>(decoded.chunks[0]), frame.chunk), "chunk");
  }
}

v1::CallStart MakeCallStart(std::string_view message) {
  v1::CallStart start;
  start.set_call_id(1);
  start.set_method("/blob.BlobStore/Put");
  start.set_timeout_us(10'000'000);
  v1::Metadata& user = *start.add_metadata();
  user.set_key("user");
  user.set_value("ann");
  start.set_message_size(message.size());
  start.set_payload_id(1);
  return start;
}

v1::Ack MakeAck() {
  v1::Ack ack;
  ack.set_received_bytes(4101);
  v1::Receipt& receipt = *ack.add_receipts();
  receipt.set_payload_id(1);
  receipt.set_receive_path(v1::RECEIVE_PATH_COPY);
  for (const auto& [reason, bytes] : {std::pair(v1::COPY_REASON_POLICY, 4096), std::pair(v1::COPY_REASON_TAIL, 5)}) {
    v1::CopiedBytes& copied = *receipt.add_copied();
    copied.set_reason(reason);
    copied.set_bytes(bytes);
  }
  return ack;
}

}  // namespace

std::string WorkedExample() {
  Writer writer;
  const auto frame = [&writer](std::string_view side, FrameType type, uint8_t flags, const auto& body,
                               std::string_view data) {
    std::string bytes;
    AppendFrame(type, flags, body, data, bytes);
    WriteFrame(side, bytes, writer);
    return bytes.size();
  };
  constexpr uint8_t kWholeAndLast = kFlagEndStream | kFlagCovered | kFlagHasMessage;

  WritePreface("client", MakePreface("0123456789abcdef", 0, 0, Settings{}, "client/1"), writer);
  WritePreface("server", MakePreface("", 0, 0, Settings{}, "server/1"), writer);

  const std::string request("\x0a\x05photo", 7);  // PutRequest{name: "photo"}
  frame("client", FrameType::kCallStart, kWholeAndLast, MakeCallStart(request), request);

  v1::PayloadBegin begin;
  begin.set_payload_id(1);
  begin.set_call_id(1);
  begin.set_size(4101);
  frame("client", FrameType::kPayloadBegin, kFlagCovered, begin, {});

  v1::PayloadEnd end;
  end.set_payload_id(1);
  end.set_size(4101);
  end.set_outcome(v1::PayloadEnd::COMPLETE);
  std::string end_frame;
  AppendFrame(FrameType::kPayloadEnd, 0, end, "tail!", end_frame);

  v1::Chunk chunk;
  chunk.set_payload_id(1);
  std::string chunk_frame;
  AppendChunkHeader(chunk, 4096, chunk_frame, static_cast<uint32_t>(end_frame.size()));
  chunk_frame.append(4096, '\xab');
  WriteFrame("client", chunk_frame, writer);
  WriteFrame("client", end_frame, writer);

  frame("server", FrameType::kAck, 0, MakeAck(), {});

  const std::string reply("\x08\x85\x20", 3);  // PutReply{size: 4101}
  v1::MessagePart part;
  part.set_call_id(1);
  part.set_message_size(reply.size());
  v1::Metadata& node = *part.add_initial_metadata();
  node.set_key("node");
  node.set_value("n7");
  frame("server", FrameType::kMessage, kWholeAndLast, part, reply);

  v1::CallStatus status;
  status.set_call_id(1);
  frame("server", FrameType::kStatus, 0, status, {});
  return writer.text();
}

}  // namespace pagewire::wire
