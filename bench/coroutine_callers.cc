#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <vector>

#include "transfer_callers.h"

namespace pagewire::bench {
namespace {

// Makes one call after the other until it is told to stop. Destroyed after that.
class CoroutineCaller {
 public:
  CoroutineCaller(const Calling& calling, Tally& tally) : calling_(calling), log_(calling, tally) {}

  void Start() {
    pagewire::Start(Run(), [this] { stopped_.count_down(); });
  }
  void Stop() { stop_ = true; }
  void Wait() { stopped_.wait(); }

 private:
  Task<> Run() {
    for (bool well = true; well && !stop_;) {
      const uint64_t number = log_.Begin();
      context_.emplace();
      uint64_t bytes = 0;
      absl::Status status;
      if (calling_.kind == Kind::kEcho) {
        const absl::StatusOr<Load> reply = co_await calling_.stub.Co().Echo(*context_, log_.request());
        status = reply.status();
        bytes = reply.ok() ? reply->filler().size() : 0;
        // (One co_await in each branch: gcc 12 miscompiles two within `?:`.)
      } else if (calling_.options.piecewise && calling_.kind == Kind::kPut) {
        status = co_await PutPieces(number, bytes);
      } else if (calling_.options.piecewise) {
        status = co_await GetPieces(bytes);
      } else if (calling_.kind == Kind::kPut) {
        const absl::StatusOr<Load> reply =
            co_await calling_.stub.Co().Put(*context_, log_.request(), log_.source().Next(number));
        status = reply.status();
        bytes = reply.ok() ? reply->size() : 0;
      } else {
        const absl::StatusOr<WithPayload<Load>> reply = co_await calling_.stub.Co().Get(*context_, log_.request());
        status = reply.status();
        PayloadTaker taker(log_.touch());
        if (reply.ok()) taker.Take(reply->payload);
        bytes = taker.bytes();
      }
      well = log_.End(status, bytes, *context_);
    }
  }

  Task<absl::Status> PutPieces(uint64_t number, uint64_t& bytes) {
    const auto writer = calling_.stub.Co().PutPieces(*context_, log_.request());
    PieceMaker maker(log_.source(), calling_.options.payload_bytes, number);
    for (Payload piece = maker.Next(); piece.size() > 0; piece = maker.Next()) {
      const absl::Status written = co_await writer.Write(piece);
      if (!written.ok()) break;  // Finish says why
    }
    const absl::StatusOr<Load> reply = co_await writer.Finish();
    bytes = reply.ok() ? reply->size() : 0;
    co_return reply.status();
  }

  Task<absl::Status> GetPieces(uint64_t& bytes) {
    const auto reader = calling_.stub.Co().GetPieces(*context_, log_.request());
    const absl::StatusOr<Load> reply = co_await reader.ReadMessage();
    if (!reply.ok()) co_return reply.status();
    PayloadTaker taker(log_.touch());
    for (;;) {
      const absl::StatusOr<std::optional<Payload>> piece = co_await reader.Read();
      if (!piece.ok()) co_return piece.status();
      if (!piece->has_value()) break;
      taker.Take(**piece);
    }
    bytes = taker.bytes();
    co_return co_await reader.Finish();
  }

  const Calling& calling_;
  CallLog log_;
  std::optional<ClientContext> context_;
  std::atomic<bool> stop_ = false;
  std::latch stopped_{1};
};

class CoroutineCallers final : public Callers {
 public:
  CoroutineCallers(const Calling& calling, int count, Tally& tally) {
    for (int i = 0; i < count; ++i) callers_.push_back(std::make_unique<CoroutineCaller>(calling, tally));
    for (const auto& caller : callers_) caller->Start();
  }
  ~CoroutineCallers() override {
    for (const auto& caller : callers_) caller->Stop();
    for (const auto& caller : callers_) caller->Wait();
  }

 private:
  std::vector<std::unique_ptr<CoroutineCaller>> callers_;
};

}  // namespace

std::unique_ptr<Callers> StartCoroutines(const Calling& calling, int count, Tally& tally) {
  return std::make_unique<CoroutineCallers>(calling, count, tally);
}

}  // namespace pagewire::bench
