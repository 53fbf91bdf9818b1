// The peer's preface, from bytes.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "wire/preface.h"

namespace pagewire::wire {

// Takes the first bytes of a connection in pieces of any length. Keeps at most kPrefaceHeadBytes +
// kMaxPrefaceBodyBytes. Not thread-safe.
class PrefaceDecoder {
 public:
  // Takes bytes up to the end of the preface and returns how many. INVALID_ARGUMENT when it is no preface (the message
  // names the protocol that the peer speaks, where it is known) or is malformed; RESOURCE_EXHAUSTED when its body is
  // too long. Every later call then returns the same. A wrong magic is reported once its 8 bytes have come.
  absl::StatusOr<size_t> Decode(std::string_view bytes);

  // The preface is whole.
  bool done() const { return done_; }

  // Requires done().
  const Preface& preface() const { return preface_; }

  // How many bytes complete the step that is under way; 0 when done. Reading just so many never takes a byte of the
  // frames that follow.
  size_t wanted() const { return done_ ? 0 : needed_ - gathered_.size(); }

 private:
  absl::Status Advance();

  size_t needed_ = kPrefaceHeadBytes;
  std::string gathered_;
  bool done_ = false;
  Preface preface_;
  absl::Status failed_;
};

}  // namespace pagewire::wire
