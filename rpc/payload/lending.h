// What the spans of a payload are.
#pragma once

#include <pagewire/payload.h>

namespace pagewire::memory {

// All of its spans are in files, and there is one.
bool InFiles(const Payload& payload);

// Any of them is: its bytes must not be looked at but with FileMemory's care.
bool TouchesFiles(const Payload& payload);

// All of its spans are (SpanOwner::lendable): memory from the pool, and received pages. Not external memory, which its
// owner changes when it is told that it may.
bool Lendable(const Payload& payload);

// See SpanOwner::GiveUpPages, for all of a lendable payload. Thread-safe.
void GiveUpPages(const Payload& payload);

}  // namespace pagewire::memory
