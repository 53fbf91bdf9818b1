// The worked example of docs/protocol.md, made by the encoders.
#pragma once

#include <string>

namespace pagewire::wire {

// A unary call with a payload, both directions: every byte in hexadecimal, with what it means beside it.
std::string WorkedExample();

}  // namespace pagewire::wire
