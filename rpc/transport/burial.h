// The end of a connection whose memory the kernel has not let go of.
#pragma once

#include <pagewire/quarantine.h>

#include <cstdint>
#include <memory>

#include "transport/ack_ledger.h"
#include "transport/byte_stream.h"
#include "transport/loop.h"

namespace pagewire::transport {

// The source of QuarantinedBytes' limit: as many windows as 32 connections have.
inline constexpr uint64_t kMaxQuarantinedBytes = 64 << 20;

// Takes over a dead session's stream and ledger (on which OnDead was called), and keeps them until the kernel has let
// go of everything. For a second what was written is left to go out, last statuses among it; then the stream is
// aborted, which makes the kernel drop what is queued. It closes when nothing is outstanding, be it minutes later; its
// descriptor is never used for anything else.
//
// On the stream's loop. If the loop ends first, what is still outstanding then is kept for good: a handle on memory
// that may be in use is not given back because somebody is in a hurry.
void Bury(Loop& loop, std::unique_ptr<ByteStream> stream, AckLedger ledger);

}  // namespace pagewire::transport
