// What must hold for a server's connection whatever its client does. Shared by the fuzz target and by the short run of
// it that is an ordinary test.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pagewire::call {

// Runs one connection, from its beginning to its end and to the last byte that it had reserved, against a client that
// does what `program` says. Returns what went wrong, if anything: the server sent what it may not send, a payload has
// wrong bytes, a call has two answers, a limit was passed, or something is left when the connection is gone.
//
// Every string is a program (ProgramNumbers). It chooses between steps of the client (ProgramClient), whose frames are
// sent at once, or later, or in part, so that anything may happen in the middle of a frame; steps of the handlers; and
// others: time passes, the client stops reading and reads again, payloads are dropped.
//
// Built with PAGEWIRE_FUZZ_CANARY, the check has a bug of the kind that this is to find: it forgets that bytes of a
// payload which was given up half-way are acknowledged, too.
std::optional<std::string> CheckConnection(std::string_view program);

}  // namespace pagewire::call
