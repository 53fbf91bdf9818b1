// HTTP as bytes over a socket: what is sent and what comes back, unhidden by a client library.
#pragma once

#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace pagewire::admin {

// Connects to 127.0.0.1.
base::UniqueFd ConnectTo(int port);

void SendAll(int fd, std::string_view bytes);

// Everything until the server closes; what came before an error.
std::string ReadToEnd(int fd);

// The whole answer to `request`.
std::string Exchange(int port, std::string_view request);

// The body of the answer to a GET; empty unless it is 200.
std::string Get(int port, std::string_view path);

}  // namespace pagewire::admin
