#include "transfer/transfer_service.h"

#include <absl/time/clock.h>

#include <cstring>
#include <iostream>
#include <utility>

namespace pagewire::transfer {

absl::StatusOr<PutReply> TransferService::Put(ServerContext&, const PutRequest& request, Payload payload) {
  PutReply reply;
  reply.set_size(payload.size());
  keeper_.Keep({request.stamp().payload(), request.stamp().seed()}, std::move(payload),
               absl::Microseconds(request.hold_us()));
  return reply;
}

absl::StatusOr<WithPayload<GetReply>> TransferService::Get(ServerContext&, const GetRequest& request) {
  const StampOf stamp = {request.stamp().payload(), request.stamp().seed()};
  if (request.size() > kMostPayloadBytes) return absl::InvalidArgumentError("more than a buffer holds");
  const bool external = !OnlyPooled() && stamp.payload % 2 == 0;
  return WithPayload<GetReply>{GetReply(), external ? ring_.Make(stamp, request.size(), stamp.payload % 4096)
                                                    : MakePooled(stamp, request.size())};
}

absl::StatusOr<ReportReply> TransferService::Report(ServerContext&, const ReportRequest&) {
  const PayloadKeeper::Findings findings = keeper_.Finish();
  ReportReply reply;
  reply.set_checked_bytes(findings.checked_bytes);
  reply.set_payloads(findings.payloads);
  reply.set_first_error(findings.first_error);
  return reply;
}

namespace {

// Reads every cache line.
uint64_t Touch(absl::Span<const char> bytes) {
  uint64_t sum = 0;
  for (size_t at = 0; at + 8 <= bytes.size(); at += 64) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    sum += word;
  }
  return sum;
}

}  // namespace

absl::StatusOr<SpendReply> TransferService::Spend(ServerContext&, const SpendRequest&, Payload payload) {
  base::MutexLock lock(spending_);
  const uint64_t slow_until = pace_.slow_from + pace_.slow_bytes;
  for (const absl::Span<const char> span : payload.spans()) {
    spent_ += span.size();
    touched_ += Touch(span);
    if (pace_.slow_bytes == 0 || spent_ <= pace_.slow_from || paused_) continue;
    if (spent_ <= slow_until) {
      absl::SleepFor(absl::Seconds(1) * (static_cast<double>(span.size()) / pace_.bytes_per_second));
      continue;
    }
    paused_ = true;
    std::cout << "pausing" << std::endl;
    absl::SleepFor(pace_.pause);
    for (const Holder& holder : Holders()) std::cout << "holder: " << holder.ToString() << "\n";
    std::cout << "going on" << std::endl;
  }
  return SpendReply();
}

absl::StatusOr<Poured> TransferService::Pour(ServerContext&, const Poured& request, ServerReader<Payload>& pieces) {
  Poured reply;
  absl::StatusOr<uint64_t> size = CheckPieces(request, pieces);
  if (!size.ok()) return size.status();
  reply.set_size(*size);
  return reply;
}

absl::Status TransferService::Draw(ServerContext&, const Poured& request, ServerPieceWriter<Poured>& pieces) {
  const absl::Status status = pieces.WriteMessage(request);
  return status.ok() ? WritePieces(request, pieces) : status;
}

}  // namespace pagewire::transfer
