// Tells what a peer speaks that does not speak Pagewire, for an error that a person can act upon.
#pragma once

#include <string>
#include <string_view>

namespace pagewire::wire {

// `bytes`: the first 8 bytes of a connection, which are not Pagewire's magic. A phrase for "the peer ...":
// "speaks HTTP/1 (\"GET /ind\")", "speaks SSH (\"SSH-2.0-\")", "sent bytes that are not Pagewire's (0001...)".
std::string DescribeForeignProtocol(std::string_view bytes);

}  // namespace pagewire::wire
