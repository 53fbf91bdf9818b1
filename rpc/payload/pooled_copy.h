// A payload in memory of its own, filled piece by piece.
#pragma once

#include <pagewire/payload.h>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstdint>

namespace pagewire::memory {

// A payload of `size` bytes in blocks of the default pool, 2 MiB each but for the last, so that its parts can go back
// one by one. `fill` is called for the blocks in order and writes all bytes of the span it gets; its error ends the
// copy. The pool's RESOURCE_EXHAUSTED otherwise.
absl::StatusOr<Payload> PooledCopy(uint64_t size, absl::FunctionRef<absl::Status(absl::Span<char>)> fill);

}  // namespace pagewire::memory
