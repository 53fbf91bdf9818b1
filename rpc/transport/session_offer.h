// What a session tells its peer that it accepts, and holds itself to.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <string>

#include "pagewire/wire.pb.h"
#include "transport/byte_stream.h"
#include "transport/path_choice.h"
#include "transport/receiver.h"
#include "transport/session_options.h"
#include "transport/socket_options.h"
#include "wire/preface.h"
#include "wire/settings.h"

namespace pagewire::transport {

// Calls whose statuses the peer does not take, beyond those that may be in flight, before it is cut off.
inline constexpr size_t kExtraCalls = 1024;

// The options, brought into the ranges of the wire format.
wire::Settings MakeSettings(const SessionOptions& options);

// wire::kSessionIdBytes that no other session has.
std::string RandomSessionId();

// The side that connects gives itself a session id if the options have none.
wire::Preface MakeOwnPreface(const SessionOptions& options);

// What the stream allows of what the options ask for.
SendTerms MakeSendTerms(const SessionOptions& options, const ByteStream& stream);
ReceiverOptions MakeReceiverOptions(const SessionOptions& options, const ByteStream& stream);

// For sockets that sessions use: room for the window that MakeSettings offers.
TcpOptions SessionTcpOptions();

// Makes a status fit that the peer would not accept, for the reason that `fits` says: without metadata and details, its
// text cut. OK becomes that reason.
void CutStatus(const absl::Status& fits, wire::v1::CallStatus& status);

}  // namespace pagewire::transport
