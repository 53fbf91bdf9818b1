#include "transport/payload_digest.h"

#include <absl/strings/escaping.h>
#include <xxhash.h>

#include "base/die.h"

namespace pagewire::transport {

void PayloadDigest::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

PayloadDigest::PayloadDigest() : state_(XXH3_createState()) {
  if (state_ == nullptr) base::Die("no memory for the digest of a payload");
  XXH3_128bits_reset(state_.get());
}

void PayloadDigest::Update(const char* data, size_t size) { XXH3_128bits_update(state_.get(), data, size); }

wire::v1::Digest PayloadDigest::Get() const {
  XXH128_canonical_t value;
  XXH128_canonicalFromHash(&value, XXH3_128bits_digest(state_.get()));
  static_assert(sizeof(value.digest) == kBytes);
  wire::v1::Digest digest;
  digest.set_kind(wire::v1::Digest::XXH3_128);
  digest.set_value(value.digest, sizeof(value.digest));
  return digest;
}

wire::v1::Digest PayloadDigest::Placeholder() {
  wire::v1::Digest digest;
  digest.set_kind(wire::v1::Digest::XXH3_128);
  digest.set_value(std::string(kBytes, '\0'));
  return digest;
}

bool PayloadDigest::IsValid(const wire::v1::Digest& digest) {
  return digest.kind() == wire::v1::Digest::XXH3_128 && digest.value().size() == kBytes;
}

std::string PayloadDigest::ToString(const wire::v1::Digest& digest) { return absl::BytesToHexString(digest.value()); }

}  // namespace pagewire::transport
