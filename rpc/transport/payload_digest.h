// The digest over a payload's bytes that its sender says and its receiver compares: XXH3-128.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "pagewire/wire.pb.h"

struct XXH3_state_s;

namespace pagewire::transport {

// Takes the bytes in order, as they pass by.
class PayloadDigest {
 public:
  static constexpr size_t kBytes = 16;

  PayloadDigest();
  void Update(const char* data, size_t size);

  // Of all bytes so far.
  wire::v1::Digest Get() const;

  // One of the same size on the wire, before the bytes are known.
  static wire::v1::Digest Placeholder();

  // Whether a peer's digest is one that can be compared.
  static bool IsValid(const wire::v1::Digest& digest);

  // For messages.
  static std::string ToString(const wire::v1::Digest& digest);

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace pagewire::transport
