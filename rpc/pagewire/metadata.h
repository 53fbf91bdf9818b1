// Key/value pairs that travel with a call, beside its messages.
#pragma once

#include <map>
#include <string>

namespace pagewire {

// Keys are lower case ([0-9a-z_.-]); a key may occur several times and keeps the order of its values. Values of keys
// that end in "-bin" are arbitrary bytes; all others are printable ASCII. Keys that begin with "grpc-" or "pagewire-"
// are reserved. The sum of all keys and values of one direction is limited by ChannelOptions::max_metadata_bytes and
// ServerBuilder::SetMaxMetadataBytes.
using Metadata = std::multimap<std::string, std::string, std::less<>>;

}  // namespace pagewire
