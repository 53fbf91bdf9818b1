// The public enums of paths.h and their numbers on the wire.
#pragma once

#include <pagewire/paths.h>

#include <optional>

#include "pagewire/wire.pb.h"

namespace pagewire::wire {

v1::CopyReason ToWire(CopyReason reason);

// `path` is not kAuto: a receipt tells what happened.
v1::ReceivePath ToWire(ReceivePath path);

// nullopt for a number that is not in version 1.
std::optional<CopyReason> FromWire(v1::CopyReason reason);
std::optional<ReceivePath> FromWire(v1::ReceivePath path);

}  // namespace pagewire::wire
