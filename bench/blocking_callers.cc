#include <memory>
#include <optional>

#include "harness/thread_callers.h"
#include "transfer_callers.h"

namespace pagewire::bench {
namespace {

class BlockingCaller {
 public:
  BlockingCaller(const Calling& calling, Tally& tally) : calling_(calling), log_(calling, tally) {}

  bool Call() {
    const uint64_t number = log_.Begin();
    context_.emplace();
    uint64_t bytes = 0;
    const absl::Status status = Make(number, bytes);
    return log_.End(status, bytes, *context_);
  }

 private:
  absl::Status Make(uint64_t number, uint64_t& bytes) {
    if (calling_.kind == Kind::kEcho) {
      const absl::Status status = calling_.stub.Into().Echo(*context_, log_.request(), reply_);
      bytes = reply_.filler().size();
      return status;
    }
    if (calling_.options.piecewise) return calling_.kind == Kind::kPut ? PutPieces(number, bytes) : GetPieces(bytes);
    if (calling_.kind == Kind::kPut) {
      const absl::Status status =
          calling_.stub.Into().Put(*context_, log_.request(), log_.source().Next(number), reply_);
      bytes = reply_.size();
      return status;
    }
    Payload payload;
    const absl::Status status = calling_.stub.Into().Get(*context_, log_.request(), reply_, payload);
    PayloadTaker taker(log_.touch());
    taker.Take(payload);
    bytes = taker.bytes();
    return status;
  }

  absl::Status PutPieces(uint64_t number, uint64_t& bytes) {
    const auto writer = calling_.stub.PutPieces(*context_, log_.request());
    PieceMaker maker(log_.source(), calling_.options.payload_bytes, number);
    for (Payload piece = maker.Next(); piece.size() > 0; piece = maker.Next()) {
      if (!writer->Write(piece).ok()) break;  // Finish says why
    }
    const absl::StatusOr<Load> reply = writer->Finish();
    if (reply.ok()) bytes = reply->size();
    return reply.status();
  }

  absl::Status GetPieces(uint64_t& bytes) {
    const auto reader = calling_.stub.GetPieces(*context_, log_.request());
    if (const absl::StatusOr<Load> reply = reader->ReadMessage(); !reply.ok()) return reply.status();
    PayloadTaker taker(log_.touch());
    for (;;) {
      const absl::StatusOr<std::optional<Payload>> piece = reader->Read();
      if (!piece.ok()) return piece.status();
      if (!piece->has_value()) break;
      taker.Take(**piece);
    }
    bytes = taker.bytes();
    return reader->Finish();
  }

  const Calling& calling_;
  CallLog log_;
  Load reply_;
  std::optional<ClientContext> context_;
};

}  // namespace

std::unique_ptr<Callers> StartBlocking(const Calling& calling, int count, Tally& tally) {
  return StartThreads(count, [&calling, &tally]() -> std::function<bool()> {
    return [caller = std::make_shared<BlockingCaller>(calling, tally)] { return caller->Call(); };
  });
}

}  // namespace pagewire::bench
