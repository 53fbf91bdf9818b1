#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "transfer_callers.h"

namespace pagewire::bench {
namespace {

// Makes one call after the other until it is told to stop. Destroyed after that.
class CallbackCaller {
 public:
  CallbackCaller(const Calling& calling, Tally& tally) : calling_(calling), log_(calling, tally) {}

  void Start() { Next(); }
  void Stop() { stop_ = true; }
  void Wait() { stopped_.wait(); }

 private:
  void Next() {
    if (stop_) return stopped_.count_down();
    const uint64_t number = log_.Begin();
    context_.emplace();
    if (calling_.options.piecewise && calling_.kind != Kind::kEcho) {
      return calling_.kind == Kind::kPut ? PutPieces(number) : GetPieces();
    }
    auto into = calling_.stub.Into();
    switch (calling_.kind) {
      case Kind::kEcho:
        return into.Echo(*context_, log_.request(), reply_,
                         [this](const absl::Status& status) { Take(status, reply_.filler().size()); });
      case Kind::kPut:
        return into.Put(*context_, log_.request(), log_.source().Next(number), reply_,
                        [this](const absl::Status& status) { Take(status, reply_.size()); });
      case Kind::kGet:
        return into.Get(*context_, log_.request(), reply_, payload_, [this](const absl::Status& status) {
          PayloadTaker taker(log_.touch());
          taker.Take(std::exchange(payload_, Payload()));
          Take(status, taker.bytes());
        });
    }
  }

  void Take(const absl::Status& status, uint64_t bytes) {
    log_.End(status, bytes, *context_) ? Next() : stopped_.count_down();
  }

  void PutPieces(uint64_t number) {
    writer_.emplace(calling_.stub.Callback().PutPieces(*context_, log_.request()));
    maker_.emplace(log_.source(), calling_.options.payload_bytes, number);
    WriteNext(absl::OkStatus());
  }

  void WriteNext(const absl::Status& written) {
    const Payload piece = written.ok() ? maker_->Next() : Payload();
    if (piece.size() > 0) return writer_->Write(piece, [this](const absl::Status& status) { WriteNext(status); });
    writer_->Finish(
        [this](const absl::StatusOr<Load>& reply) { Take(reply.status(), reply.ok() ? reply->size() : 0); });
  }

  void GetPieces() {
    reader_.emplace(calling_.stub.Callback().GetPieces(*context_, log_.request()));
    taker_.emplace(log_.touch());
    reader_->ReadMessage([this](const absl::StatusOr<Load>& reply) { reply.ok() ? ReadNext() : Finish(); });
  }

  void ReadNext() {
    reader_->Read([this](const absl::StatusOr<std::optional<Payload>>& piece) {
      if (!piece.ok() || !piece->has_value()) return Finish();
      taker_->Take(**piece);
      ReadNext();
    });
  }

  void Finish() {
    reader_->Finish([this](const absl::Status& status) { Take(status, taker_->bytes()); });
  }

  const Calling& calling_;
  CallLog log_;
  Load reply_;
  Payload payload_;
  std::optional<ClientContext> context_;
  std::optional<AsyncClientWriter<Payload, Load>> writer_;
  std::optional<PieceMaker> maker_;
  std::optional<AsyncClientPieceReader<Load>> reader_;
  std::optional<PayloadTaker> taker_;
  std::atomic<bool> stop_ = false;
  std::latch stopped_{1};
};

class CallbackCallers final : public Callers {
 public:
  CallbackCallers(const Calling& calling, int count, Tally& tally) {
    for (int i = 0; i < count; ++i) callers_.push_back(std::make_unique<CallbackCaller>(calling, tally));
    for (const auto& caller : callers_) caller->Start();
  }
  ~CallbackCallers() override {
    for (const auto& caller : callers_) caller->Stop();
    for (const auto& caller : callers_) caller->Wait();
  }

 private:
  std::vector<std::unique_ptr<CallbackCaller>> callers_;
};

}  // namespace

std::unique_ptr<Callers> StartCallbacks(const Calling& calling, int count, Tally& tally) {
  return std::make_unique<CallbackCallers>(calling, count, tally);
}

}  // namespace pagewire::bench
