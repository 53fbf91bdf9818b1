// XXH3-128, the digest by which both ends check content.
#pragma once

#include <pagewire/payload.h>
#include <xxhash.h>

#include <memory>
#include <string>

namespace bulk {

// Of bytes that come in pieces.
class Digest {
 public:
  Digest();

  void Update(absl::Span<const char> bytes);

  // Of all bytes so far: 32 lower-case hexadecimal digits, as xxh128sum prints them.
  std::string Hex() const;

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

std::string DigestOf(const pagewire::Payload& payload);

}  // namespace bulk
