#include "transport/session_offer.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "payload/pool.h"
#include "transport/arena.h"
#include "transport/burial.h"
#include "transport/path_choice.h"

namespace pagewire::transport {
namespace {

// What is left of a status message that the peer does not accept whole.
constexpr size_t kCutMessageBytes = 1024;

}  // namespace

std::string RandomSessionId() {
  std::random_device bits;
  std::string id(wire::kSessionIdBytes, '\0');
  for (char& c : id) c = static_cast<char>(bits());
  return id;
}

wire::Settings MakeSettings(const SessionOptions& options) {
  wire::Settings settings;
  settings.initial_connection_credit = wire::AssumedSettings().initial_connection_credit;
  settings.max_message_size =
      std::min(std::max(options.limits.max_message_bytes, options.most_message_bytes), wire::kMaxBytes);
  if (options.limits.max_payload_bytes != 0) {
    settings.max_payload_size =
        std::min(std::max(options.limits.max_payload_bytes, options.most_payload_bytes), wire::kMaxBytes);
  }
  settings.max_metadata_size = std::max(options.max_metadata_bytes, options.most_metadata_bytes);
  settings.max_body_length =
      std::max(settings.max_body_length, 4 * std::min(settings.max_metadata_size, wire::kMaxBytes / 4));
  settings.max_concurrent_calls = options.max_concurrent_calls;
  return wire::ClampSettings(settings);
}

wire::Preface MakeOwnPreface(const SessionOptions& options) {
  const bool makes_id = options.initiator && options.session_id.empty();
  return wire::MakePreface(makes_id ? RandomSessionId() : options.session_id, options.lane_id,
                           options.payload_digests ? wire::kFeatureXxh3 : 0, MakeSettings(options), "pagewire");
}

SendTerms MakeSendTerms(const SessionOptions& options, const ByteStream& stream) {
  const PagePaths paths = stream.page_paths();
  SendTerms terms;
  terms.requested = options.send_path;
  terms.same_host = stream.same_host();
  terms.zerocopy_possible = paths.zerocopy;
  terms.quarantine_full = QuarantinedBytes() > kMaxQuarantinedBytes;
  terms.splice_possible = paths.splice;
  terms.without = paths.without;
  terms.whole_page_segments = paths.whole_page_segments;
  if (options.send_path == SendPath::kAuto && (paths.zerocopy || paths.map)) {
    terms.peer = PeerPaths::Of(HostOf(stream.peer()));
  }
  return terms;
}

ReceiverOptions MakeReceiverOptions(const SessionOptions& options, const ByteStream& stream) {
  ReceiverOptions receiver;
  receiver.held_budget = options.held_budget;
  receiver.pool = &memory::Pool::Default();
  receiver.initial_call_credit = MakeSettings(options).initial_call_credit;
  receiver.limits = options.limits;
  receiver.max_open_payloads = options.max_concurrent_calls + kExtraCalls;
  const PagePaths paths = stream.page_paths();
  ReceiveTerms terms;
  terms.requested = options.receive_path;
  terms.same_host = stream.same_host();
  terms.map_possible = paths.map;
  terms.without = paths.without;
  terms.whole_page_segments = paths.whole_page_segments;
  terms.arena = true;
  receiver.choice = ChooseReceivePath(terms);
  if (!receiver.choice.map) return receiver;
  // Only now: an arena that nobody needs is not made.
  const absl::StatusOr<std::shared_ptr<Arena>>& arena = Arena::Default();
  if (arena.ok()) {
    receiver.arena = arena->get();
  } else {
    terms.arena = false;
    receiver.choice = ChooseReceivePath(terms);
  }
  return receiver;
}

TcpOptions SessionTcpOptions() {
  TcpOptions options;
  options.window_bytes = wire::Settings().window;
  return options;
}

void CutStatus(const absl::Status& fits, wire::v1::CallStatus& status) {
  status.clear_details();
  status.clear_trailing_metadata();
  status.clear_initial_metadata();
  if (status.code() == 0) {
    status.set_code(static_cast<uint32_t>(fits.code()));
    status.set_message(std::string(fits.message()));
    return;
  }
  std::string message = status.message().substr(0, kCutMessageBytes);
  if (message.size() < status.message().size()) message += "...";
  absl::StrAppend(&message, " (cut; ", fits.message(), ")");
  status.set_message(std::move(message));
}

}  // namespace pagewire::transport
