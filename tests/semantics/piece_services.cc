#include "semantics/piece_services.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "base/status.h"

namespace pagewire::semantics {
namespace {

constexpr uint64_t kPieceBytes = 100'000;  // no multiple of a page

char ByteAt(uint64_t offset) { return static_cast<char>(offset * 7 + offset / 4096 * 13 + offset / (1 << 20)); }

Thing Counted(const Checker& checker) {
  Thing thing;
  thing.set_size(checker.size());
  thing.set_right(checker.right());
  return thing;
}

// The pieces of a payload, one after the other.
class Maker {
 public:
  explicit Maker(const Thing& request)
      : size_(request.size()), piece_size_(request.piece_size() > 0 ? request.piece_size() : kPieceBytes) {}
  bool done() const { return made_ == size_; }
  Payload Next() {
    const uint64_t size = std::min(piece_size_, size_ - made_);
    made_ += size;
    return PatternAt(made_ - size, size);
  }

 private:
  const uint64_t size_;
  const uint64_t piece_size_;
  uint64_t made_ = 0;
};

class CallbackPieces final : public Pieces::CallbackService {
  void Put(ServerContext&, const Thing&, AsyncServerReader<Payload> pieces,
           absl::AnyInvocable<void(absl::StatusOr<Thing>)> done) override {
    struct Loop : std::enable_shared_from_this<Loop> {
      explicit Loop(AsyncServerReader<Payload> reader) : pieces(std::move(reader)) {}
      void Next() {
        pieces.Read([self = shared_from_this()](absl::StatusOr<std::optional<Payload>> piece) {
          if (!piece.ok()) return self->done(piece.status());
          if (!piece->has_value()) return self->done(Counted(self->checker));
          self->checker.Take(**piece);
          self->Next();
        });
      }
      AsyncServerReader<Payload> pieces;
      absl::AnyInvocable<void(absl::StatusOr<Thing>)> done;
      Checker checker;
    };
    const auto loop = std::make_shared<Loop>(std::move(pieces));
    loop->done = std::move(done);
    loop->Next();
  }

  void Get(ServerContext&, const Thing& request, AsyncServerPieceWriter<Thing> pieces,
           absl::AnyInvocable<void(absl::Status)> done) override {
    struct Loop : std::enable_shared_from_this<Loop> {
      Loop(AsyncServerPieceWriter<Thing> writer, const Thing& request) : pieces(std::move(writer)), maker(request) {}
      void Next(absl::Status status) {
        if (!status.ok() || maker.done()) return done(std::move(status));
        pieces.Write(maker.Next(), [self = shared_from_this()](absl::Status written) { self->Next(written); });
      }
      AsyncServerPieceWriter<Thing> pieces;
      Maker maker;
      absl::AnyInvocable<void(absl::Status)> done;
    };
    const auto loop = std::make_shared<Loop>(std::move(pieces), request);
    loop->done = std::move(done);
    Thing head;
    head.set_size(request.size());
    loop->pieces.WriteMessage(head, [loop](absl::Status status) { loop->Next(std::move(status)); });
  }

  void Swap(ServerContext&, const Thing& request, AsyncServerPieceReaderWriter<Thing> pieces,
            absl::AnyInvocable<void(absl::Status)> done) override {
    struct Loop : std::enable_shared_from_this<Loop> {
      explicit Loop(AsyncServerPieceReaderWriter<Thing> both) : pieces(std::move(both)) {}
      void Next(absl::Status status) {
        if (!status.ok()) return done(std::move(status));
        pieces.Read([self = shared_from_this()](absl::StatusOr<std::optional<Payload>> piece) {
          if (!piece.ok() || !piece->has_value()) return self->done(piece.status());
          self->pieces.Write(**std::move(piece), [self](absl::Status written) { self->Next(std::move(written)); });
        });
      }
      AsyncServerPieceReaderWriter<Thing> pieces;
      absl::AnyInvocable<void(absl::Status)> done;
    };
    const auto loop = std::make_shared<Loop>(std::move(pieces));
    loop->done = std::move(done);
    loop->pieces.WriteMessage(request, [loop](absl::Status status) { loop->Next(std::move(status)); });
  }
};

class CoPieces final : public Pieces::CoService {
  Task<absl::StatusOr<Thing>> Put(ServerContext&, const Thing&, AsyncServerReader<Payload> pieces) override {
    Checker checker;
    for (;;) {
      absl::StatusOr<std::optional<Payload>> piece = co_await pieces.Read();
      if (!piece.ok()) co_return piece.status();
      if (!piece->has_value()) co_return Counted(checker);
      checker.Take(**piece);
    }
  }

  Task<absl::Status> Get(ServerContext&, const Thing& request, AsyncServerPieceWriter<Thing> pieces) override {
    Thing head;
    head.set_size(request.size());
    absl::Status status = co_await pieces.WriteMessage(head);
    for (Maker maker(request); status.ok() && !maker.done();) status = co_await pieces.Write(maker.Next());
    co_return status;
  }

  Task<absl::Status> Swap(ServerContext&, const Thing& request, AsyncServerPieceReaderWriter<Thing> pieces) override {
    absl::Status status = co_await pieces.WriteMessage(request);
    while (status.ok()) {
      absl::StatusOr<std::optional<Payload>> piece = co_await pieces.Read();
      if (!piece.ok() || !piece->has_value()) co_return piece.status();
      status = co_await pieces.Write(**std::move(piece));
    }
    co_return status;
  }
};

}  // namespace

Payload PatternAt(uint64_t offset, uint64_t size) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(size);
  for (uint64_t i = 0; i < size; ++i) buffer.data()[i] = ByteAt(offset + i);
  return std::move(buffer).Freeze();
}

void Checker::Take(const Payload& piece) {
  for (const absl::Span<const char> span : piece.spans()) {
    for (const char byte : span) right_ = right_ && byte == ByteAt(size_++);
  }
}

absl::StatusOr<Thing> PieceService::Put(ServerContext&, const Thing& request, ServerReader<Payload>& pieces) {
  Checker checker;
  std::vector<Payload> held;
  absl::Status status;
  for (;;) {
    absl::StatusOr<std::optional<Payload>> piece = pieces.Read();
    status = piece.status();
    if (!status.ok() || !piece->has_value()) break;
    checker.Take(**piece);
    {
      base::MutexLock lock(mutex_);
      seen_ = checker.size();
      changed_.NotifyAll();
    }
    if (request.name() == "hold") held.push_back(**std::move(piece));
    if (request.name() == "stop" && checker.size() >= request.size()) {
      status = absl::AbortedError("that is enough");
      break;
    }
    if (request.name() == "refuse") {
      status = absl::ResourceExhaustedError("the disk is full");
      break;
    }
  }
  base::MutexLock lock(mutex_);
  ended_ = true;
  end_ = base::CloneStatus(status);
  changed_.NotifyAll();
  if (!status.ok()) return status;
  return Counted(checker);
}

absl::Status PieceService::Get(ServerContext&, const Thing& request, ServerPieceWriter<Thing>& pieces) {
  if (request.name() == "no message") return absl::OkStatus();
  if (request.name() == "piece first") return pieces.Write(PatternAt(0, 10));
  Thing head;
  head.set_size(request.size());
  absl::Status status = pieces.WriteMessage(head);
  if (status.ok() && request.name() == "two messages") return pieces.WriteMessage(head);
  for (Maker maker(request); status.ok() && !maker.done();) status = pieces.Write(maker.Next());
  {
    base::MutexLock lock(mutex_);
    seen_ = pieces.peer_received_bytes();
    ended_ = true;
    end_ = base::CloneStatus(status);
    changed_.NotifyAll();
  }
  if (status.ok() && request.name() == "fail") return absl::DataLossError("a bad sector");
  return status;
}

absl::Status PieceService::Swap(ServerContext&, const Thing& request, ServerPieceReaderWriter<Thing>& pieces) {
  absl::Status status = pieces.WriteMessage(request);
  while (status.ok()) {
    absl::StatusOr<std::optional<Payload>> piece = pieces.Read();
    if (!piece.ok() || !piece->has_value()) return piece.status();
    status = pieces.Write(**std::move(piece));
  }
  return status;
}

void PieceService::AwaitEnd() {
  base::MutexLock lock(mutex_);
  while (!ended_) changed_.Wait(mutex_);
}

uint64_t PieceService::seen() const {
  base::MutexLock lock(mutex_);
  return seen_;
}

absl::Status PieceService::end() const {
  base::MutexLock lock(mutex_);
  return base::CloneStatus(end_);
}

std::unique_ptr<Service> MakePieceService(Form form) {
  switch (form) {
    case Form::kBlocking:
      return std::make_unique<PieceService>();
    case Form::kCallback:
      return std::make_unique<CallbackPieces>();
    case Form::kCoroutine:
      return std::make_unique<CoPieces>();
  }
  return nullptr;
}

}  // namespace pagewire::semantics
