#include "transport/byte_stream.h"

namespace pagewire::transport {

IoResult ByteStream::WriteZerocopy(absl::Span<const iovec>, WriteOptions, uint64_t) {
  return IoResult::MustCopy(CopyReason::kKernelUnsupported);
}

IoResult ByteStream::WriteSpliced(absl::Span<const iovec>) {
  return IoResult::MustCopy(CopyReason::kKernelUnsupported);
}

IoResult ByteStream::WriteFile(int, uint64_t, size_t) { return IoResult::MustCopy(CopyReason::kKernelUnsupported); }

MapResult ByteStream::Map(const MapRequest&) { return MapResult::Without(IoState::kMustCopy); }

}  // namespace pagewire::transport
