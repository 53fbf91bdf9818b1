#include "bulk/digest.h"

#include <absl/strings/escaping.h>

namespace bulk {

Digest::Digest() : state_(XXH3_createState()) { XXH3_128bits_reset(state_.get()); }

void Digest::Update(absl::Span<const char> bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }

std::string Digest::Hex() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
  return absl::BytesToHexString({reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest});
}

std::string DigestOf(const pagewire::Payload& payload) {
  Digest digest;
  for (absl::Span<const char> span : payload.spans()) digest.Update(span);
  return digest.Hex();
}

}  // namespace bulk
