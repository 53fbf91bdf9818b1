#include "transfer/pour.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

#include "transfer/stamp.h"
#include "transfer/stamped_ring.h"

namespace pagewire::transfer {
namespace {

constexpr uint64_t kBufferBytes = 2 << 20;
constexpr int kBuffers = 8;

StampOf StampAt(const Poured& payload, uint64_t offset) {
  return {payload.stamp().payload(), payload.stamp().seed(), offset};
}

absl::Status CheckSize(const Poured& payload, uint64_t size) {
  if (size == payload.size()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(size, " of ", payload.size(), " bytes came"));
}

absl::Status Pour(Transfer::Stub& stub, const Poured& payload) {
  ClientContext context;
  const auto writer = stub.Pour(context, payload);
  const absl::Status written = WritePieces(payload, *writer);
  const absl::StatusOr<Poured> reply = writer->Finish();
  if (!reply.ok()) return reply.status();
  return written.ok() ? CheckSize(payload, reply->size()) : written;
}

absl::Status Draw(Transfer::Stub& stub, const Poured& payload) {
  ClientContext context;
  const auto reader = stub.Draw(context, payload);
  if (absl::Status status = reader->ReadMessage().status(); !status.ok()) return status;
  const absl::StatusOr<uint64_t> size = CheckPieces(payload, *reader);
  if (!size.ok()) return size.status();
  if (absl::Status status = reader->Finish(); !status.ok()) return status;
  return CheckSize(payload, *size);
}

}  // namespace

absl::Status WritePieces(const Poured& payload, MessageWriter<Payload>& pieces) {
  StampedRing ring(kBuffers, kBufferBytes);
  for (uint64_t offset = 0; offset < payload.size(); offset += kBufferBytes) {
    const uint64_t size = std::min(kBufferBytes, payload.size() - offset);
    if (absl::Status status = pieces.Write(ring.Make(StampAt(payload, offset), size, 0)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> CheckPieces(const Poured& payload, MessageReader<Payload>& pieces) {
  for (uint64_t offset = 0;;) {
    absl::StatusOr<std::optional<Payload>> piece = pieces.Read();
    if (!piece.ok()) return piece.status();
    if (!piece->has_value()) return offset;
    if (const auto wrong = CheckStamps(StampAt(payload, offset), **piece)) return absl::DataLossError(*wrong);
    offset += (*piece)->size();
  }
}

int PourAndDraw(const std::string& target, uint64_t bytes, uint64_t seed) {
  Transfer::Stub stub(CreateChannel(target, InsecureChannelCredentials()));
  Poured payload;
  payload.mutable_stamp()->set_payload(1);
  payload.mutable_stamp()->set_seed(seed);
  payload.set_size(bytes);
  absl::Status status = Pour(stub, payload);
  if (status.ok()) status = Draw(stub, payload);
  std::cout << (status.ok() ? "right" : status.ToString()) << std::endl;
  return status.ok() ? 0 : 1;
}

}  // namespace pagewire::transfer
