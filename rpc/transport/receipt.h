// What a receiver tells the sender of a payload that it has received.
#pragma once

#include <pagewire/transfer_report.h>

#include <cstdint>

#include "pagewire/wire.pb.h"

namespace pagewire::transport {

// Replaces what `receipt` says by what `report` knows.
void WriteReceipt(uint64_t payload_id, const TransferReport& report, wire::v1::Receipt& receipt);

}  // namespace pagewire::transport
