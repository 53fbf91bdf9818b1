#include "transport/fault_stream.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "transport/page.h"

namespace pagewire::transport {
namespace {

size_t TotalBytes(absl::Span<const iovec> spans) {
  size_t total = 0;
  for (const iovec& span : spans) total += span.iov_len;
  return total;
}

// The first `length` bytes of `spans`.
std::vector<iovec> Shortened(absl::Span<const iovec> spans, size_t length) {
  std::vector<iovec> result;
  for (const iovec& span : spans) {
    if (length == 0) break;
    result.push_back({span.iov_base, std::min(span.iov_len, length)});
    length -= result.back().iov_len;
  }
  return result;
}

}  // namespace

std::string FaultPlan::ToString() const {
  std::string text = absl::StrCat("faults(seed=", seed);
  if (short_read > 0) absl::StrAppend(&text, ", short_read=", short_read);
  if (short_write > 0) absl::StrAppend(&text, ", short_write=", short_write);
  if (blocked > 0) absl::StrAppend(&text, ", blocked=", blocked, " for up to ", absl::FormatDuration(longest_delay));
  if (reset_after_bytes != std::numeric_limits<uint64_t>::max()) {
    absl::StrAppend(&text, ", reset_after_bytes=", reset_after_bytes);
  }
  return text + ")";
}

FaultStream::FaultStream(std::unique_ptr<ByteStream> inner, Loop& loop, FaultPlan plan)
    : inner_(std::move(inner)),
      loop_(loop),
      plan_(plan),
      peer_(absl::StrCat(inner_->peer(), " with ", plan.ToString())),
      random_(plan.seed),
      readiness_(loop) {}

FaultStream::~FaultStream() {
  loop_.CancelTimer(read_delay_);
  loop_.CancelTimer(write_delay_);
}

void FaultStream::Start(ByteStream::Observer* observer) {
  readiness_.Start(observer);
  inner_->Start(this);
}

IoResult FaultStream::Read(absl::Span<const iovec> into) {
  if (!reset_.ok()) return IoResult::Failed(base::CloneStatus(reset_));
  if (Delayed(read_delay_, /*readable=*/true)) return IoResult::Blocked();
  const size_t whole = TotalBytes(into);
  if (whole == 0 || !Happens(plan_.short_read)) return Count(inner_->Read(into));
  return Count(inner_->Read(Shortened(into, ShortLength(whole))));
}

template <typename WriteSome>
IoResult FaultStream::WriteWith(absl::Span<const iovec> from, WriteOptions options, WriteSome write) {
  if (!reset_.ok()) return IoResult::Failed(base::CloneStatus(reset_));
  if (Delayed(write_delay_, /*readable=*/false)) return IoResult::Blocked();
  const size_t whole = TotalBytes(from);
  if (whole == 0 || !Happens(plan_.short_write)) return Count(write(from, options));
  const size_t length = ShortLength(whole);
  options.end_of_record = options.end_of_record && length == whole;
  return Count(write(Shortened(from, length), options));
}

IoResult FaultStream::Write(absl::Span<const iovec> from, WriteOptions options) {
  return WriteWith(from, options, [this](absl::Span<const iovec> some, WriteOptions some_options) {
    return inner_->Write(some, some_options);
  });
}

IoResult FaultStream::WriteZerocopy(absl::Span<const iovec> from, WriteOptions options, uint64_t tag) {
  return WriteWith(from, options, [this, tag](absl::Span<const iovec> some, WriteOptions some_options) {
    return inner_->WriteZerocopy(some, some_options, tag);
  });
}

IoResult FaultStream::WriteSpliced(absl::Span<const iovec> from) {
  return WriteWith(from, {}, [this](absl::Span<const iovec> some, WriteOptions) { return inner_->WriteSpliced(some); });
}

IoResult FaultStream::WriteFile(int file, uint64_t offset, size_t length) {
  const iovec whole = {nullptr, length};  // only counted
  return WriteWith({&whole, 1}, {}, [&](absl::Span<const iovec> some, WriteOptions) {
    return inner_->WriteFile(file, offset, TotalBytes(some));
  });
}

MapResult FaultStream::Map(const MapRequest& request) {
  if (!reset_.ok()) return MapResult::Failed(base::CloneStatus(reset_));
  if (Delayed(read_delay_, /*readable=*/true)) return MapResult::Without(IoState::kBlocked);
  MapRequest some = request;
  if (Happens(plan_.short_read)) {
    const size_t pages = request.length / kPageBytes;
    some.length = std::uniform_int_distribution<size_t>(0, pages)(random_) * kPageBytes;
    some.behind = {};
    if (some.length == 0) {
      MapResult hole;
      hole.must_read = 1;
      return hole;
    }
  }
  MapResult result = inner_->Map(some);
  CountBytes(result.mapped + result.behind);
  return result;
}

bool FaultStream::Delayed(Loop::TimerId& delay, bool readable) {
  if (delay != 0) return true;
  if (!Happens(plan_.blocked)) return false;
  const double part = std::uniform_real_distribution<double>(0, 1)(random_);
  delay = loop_.RunAfter(plan_.longest_delay * part, [this, &delay, readable] {
    delay = 0;
    readiness_.CallNow(readable, !readable);
  });
  return true;
}

bool FaultStream::Happens(double probability) { return std::bernoulli_distribution(probability)(random_); }

size_t FaultStream::ShortLength(size_t whole) {
  // All magnitudes alike: single bytes are as likely as thousands.
  const size_t magnitude = size_t{1} << std::uniform_int_distribution<int>(0, 16)(random_);
  return std::uniform_int_distribution<size_t>(1, std::min(magnitude, whole))(random_);
}

IoResult FaultStream::Count(IoResult result) {
  CountBytes(result.bytes);
  return result;
}

void FaultStream::CountBytes(size_t bytes) {
  bytes_ += bytes;
  if (bytes_ < plan_.reset_after_bytes || !reset_.ok()) return;
  reset_ = absl::UnavailableError(absl::StrCat("connection to ", peer_, " failed: reset after ", bytes_, " bytes"));
  inner_->Abort();
  readiness_.Notify(/*readable=*/true, /*writable=*/true);
}

}  // namespace pagewire::transport
