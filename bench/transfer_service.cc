#include "transfer_service.h"

#include <optional>
#include <utility>

#include "harness/usage.h"

namespace pagewire::bench {
namespace {

// As in the README of the project: each handler does its work and answers.
class BlockingService final : public Transfer::ArenaService {
 public:
  explicit BlockingService(const TransferOptions& options) : served_(options) {}

 private:
  absl::Status Echo(ServerContext&, const Load& request, Load& reply) override {
    reply.set_filler(request.filler());
    return absl::OkStatus();
  }

  absl::Status Put(ServerContext&, const Load&, Payload payload, Load& reply) override {
    reply.set_size(served_.Take(payload));
    return absl::OkStatus();
  }

  absl::Status Get(ServerContext&, const Load& request, Load& reply, Payload& payload) override {
    payload = served_.Whole(request.size());
    reply.set_size(payload.size());
    return absl::OkStatus();
  }

  absl::StatusOr<Load> PutPieces(ServerContext&, const Load&, ServerReader<Payload>& pieces) override {
    PayloadTaker taker(served_.touch());
    for (;;) {
      const absl::StatusOr<std::optional<Payload>> piece = pieces.Read();
      if (!piece.ok()) return piece.status();
      if (!piece->has_value()) break;
      taker.Take(**piece);
    }
    Load reply;
    reply.set_size(taker.bytes());
    return reply;
  }

  absl::Status GetPieces(ServerContext&, const Load& request, ServerPieceWriter<Load>& pieces) override {
    Load reply;
    reply.set_size(request.size());
    absl::Status status = pieces.WriteMessage(reply);
    PieceMaker maker = served_.Pieces(request.size());
    for (Payload piece = maker.Next(); status.ok() && piece.size() > 0; piece = maker.Next()) {
      status = pieces.Write(piece);
    }
    return status;
  }

  ServedPayloads served_;
};

// Reads pieces until there are no more.
struct TakingPieces : std::enable_shared_from_this<TakingPieces> {
  TakingPieces(AsyncServerReader<Payload> reader, bool touch, absl::AnyInvocable<void(absl::StatusOr<Load>)> answer)
      : pieces(std::move(reader)), taker(touch), done(std::move(answer)) {}

  void Next() {
    pieces.Read([self = shared_from_this()](const absl::StatusOr<std::optional<Payload>>& piece) {
      if (!piece.ok()) return self->done(piece.status());
      if (piece->has_value()) {
        self->taker.Take(**piece);
        return self->Next();
      }
      Load reply;
      reply.set_size(self->taker.bytes());
      self->done(std::move(reply));
    });
  }

  AsyncServerReader<Payload> pieces;
  PayloadTaker taker;
  absl::AnyInvocable<void(absl::StatusOr<Load>)> done;
};

// Writes pieces until there are no more.
struct GivingPieces : std::enable_shared_from_this<GivingPieces> {
  GivingPieces(AsyncServerPieceWriter<Load> writer, const PieceMaker& source,
               absl::AnyInvocable<void(absl::Status)> answer)
      : pieces(std::move(writer)), maker(source), done(std::move(answer)) {}

  void Next(const absl::Status& status) {
    const Payload piece = status.ok() ? maker.Next() : Payload();
    if (piece.size() == 0) return done(status);
    pieces.Write(piece, [self = shared_from_this()](const absl::Status& written) { self->Next(written); });
  }

  AsyncServerPieceWriter<Load> pieces;
  PieceMaker maker;
  absl::AnyInvocable<void(absl::Status)> done;
};

class CallbackTransferService final : public Transfer::CallbackService {
 public:
  explicit CallbackTransferService(const TransferOptions& options) : served_(options) {}

 private:
  void Echo(ServerContext&, const Load& request, absl::AnyInvocable<void(absl::StatusOr<Load>)> done) override {
    done(request);
  }

  void Put(ServerContext&, const Load&, Payload payload, absl::AnyInvocable<void(absl::StatusOr<Load>)> done) override {
    Load reply;
    reply.set_size(served_.Take(payload));
    payload = Payload();  // before the answer: its sender may send the next
    done(std::move(reply));
  }

  void Get(ServerContext&, const Load& request,
           absl::AnyInvocable<void(absl::StatusOr<WithPayload<Load>>)> done) override {
    WithPayload<Load> reply{{}, served_.Whole(request.size())};
    reply.message.set_size(reply.payload.size());
    done(std::move(reply));
  }

  void PutPieces(ServerContext&, const Load&, AsyncServerReader<Payload> pieces,
                 absl::AnyInvocable<void(absl::StatusOr<Load>)> done) override {
    std::make_shared<TakingPieces>(std::move(pieces), served_.touch(), std::move(done))->Next();
  }

  void GetPieces(ServerContext&, const Load& request, AsyncServerPieceWriter<Load> pieces,
                 absl::AnyInvocable<void(absl::Status)> done) override {
    const auto giving = std::make_shared<GivingPieces>(pieces, served_.Pieces(request.size()), std::move(done));
    Load reply;
    reply.set_size(request.size());
    pieces.WriteMessage(reply, [giving](const absl::Status& status) { giving->Next(status); });
  }

  void Usage(ServerContext&, const Load&, absl::AnyInvocable<void(absl::StatusOr<ServerUsage>)> done) override {
    const auto own = OwnUsage();
    ServerUsage usage;
    usage.set_cpu_us(own.cpu_us);
    usage.set_peak_resident_bytes(own.peak_resident_bytes);
    done(std::move(usage));
  }

  ServedPayloads served_;
};

class CoTransferService final : public Transfer::CoService {
 public:
  explicit CoTransferService(const TransferOptions& options) : served_(options) {}

 private:
  Task<absl::StatusOr<Load>> Echo(ServerContext&, const Load& request) override { co_return request; }

  Task<absl::StatusOr<Load>> Put(ServerContext&, const Load&, Payload payload) override {
    Load reply;
    reply.set_size(served_.Take(payload));
    co_return reply;
  }

  Task<absl::StatusOr<WithPayload<Load>>> Get(ServerContext&, const Load& request) override {
    WithPayload<Load> reply{{}, served_.Whole(request.size())};
    reply.message.set_size(reply.payload.size());
    co_return reply;
  }

  Task<absl::StatusOr<Load>> PutPieces(ServerContext&, const Load&, AsyncServerReader<Payload> pieces) override {
    PayloadTaker taker(served_.touch());
    for (;;) {
      const absl::StatusOr<std::optional<Payload>> piece = co_await pieces.Read();
      if (!piece.ok()) co_return piece.status();
      if (!piece->has_value()) break;
      taker.Take(**piece);
    }
    Load reply;
    reply.set_size(taker.bytes());
    co_return reply;
  }

  Task<absl::Status> GetPieces(ServerContext&, const Load& request, AsyncServerPieceWriter<Load> pieces) override {
    Load reply;
    reply.set_size(request.size());
    PieceMaker maker = served_.Pieces(request.size());
    absl::Status status = co_await pieces.WriteMessage(reply);
    for (Payload piece = maker.Next(); status.ok() && piece.size() > 0; piece = maker.Next()) {
      status = co_await pieces.Write(piece);
    }
    co_return status;
  }

  ServedPayloads served_;
};

}  // namespace

Payload ServedPayloads::Whole(uint64_t bytes) {
  const PayloadSource* source = nullptr;
  {
    base::MutexLock lock(mutex_);
    source = &sources_.try_emplace(bytes, bytes, inflight_, touch_).first->second;
  }
  return source->Next(seed_++);
}

uint64_t ServedPayloads::Take(const Payload& payload) const {
  PayloadTaker taker(touch_);
  taker.Take(payload);
  return taker.bytes();
}

std::unique_ptr<Service> MakeTransferService(const TransferOptions& options) {
  if (options.form == "blocking") return std::make_unique<BlockingService>(options);
  if (options.form == "coroutine") return std::make_unique<CoTransferService>(options);
  return std::make_unique<CallbackTransferService>(options);
}

RelayService::RelayService(const std::vector<std::string>& targets, const TransferPaths& paths, bool on_loops) {
  ChannelOptions options;
  options.send_path = paths.send;
  options.inline_completions = on_loops;
  options.receive_path = paths.receive;
  for (const std::string& target : targets) {
    stubs_.push_back(
        std::make_unique<Transfer::Stub>(CreateCustomChannel(target, InsecureChannelCredentials(), options)));
  }
}

void RelayService::Put(ServerContext& context, const Load& request, Payload payload,
                       absl::AnyInvocable<void(absl::StatusOr<Load>)> done) {
  // The last answer ends the call; a failed one ends it at once.
  struct Fan {
    std::vector<std::unique_ptr<ClientContext>> contexts;
    std::atomic<size_t> open;
    std::atomic<bool> over = false;
    absl::AnyInvocable<void(absl::StatusOr<Load>)> done;
  };
  const auto fan = std::make_shared<Fan>();
  fan->open = stubs_.size();
  fan->done = std::move(done);
  for (size_t i = 0; i < stubs_.size(); ++i) fan->contexts.push_back(ClientContext::FromServerContext(context));
  for (size_t i = 0; i < stubs_.size(); ++i) {
    stubs_[i]->Callback().Put(*fan->contexts[i], request, payload, [fan](absl::StatusOr<Load> reply) {
      const bool last = --fan->open == 0;
      if ((last || !reply.ok()) && !fan->over.exchange(true)) fan->done(std::move(reply));
    });
  }
}

}  // namespace pagewire::bench
