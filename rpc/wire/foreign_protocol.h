// Tells what a peer speaks that does not speak Pagewire, for an error that a person can act upon.
#pragma once

#include <string>
#include <string_view>

namespace pagewire::wire {

// `bytes`: the first bytes of a connection, 8 or more of them, that are not Pagewire's magic. A phrase for "the peer
// ...": "speaks HTTP/1 (\"GET /index\")", "speaks TLS (a ClientHello)", "sent bytes that no known protocol begins with
// (00 01 ...)".
std::string DescribeForeignProtocol(std::string_view bytes);

}  // namespace pagewire::wire
