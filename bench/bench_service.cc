#include "bench_service.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "seeded_bytes.h"

namespace pagewire::bench {
namespace {

constexpr uint64_t kPieceBytes = 200'000;

absl::Status WrongBytes() { return absl::DataLossError("a byte of the request's payload is wrong"); }

// What a handler does before its answer, and the status that it ends with.
absl::Status Act(ServerContext& context, const Job& job) {
  if (job.sleep_us() > 0) absl::SleepFor(absl::Microseconds(job.sleep_us()));
  switch (job.end()) {
    case Job::STATUS:
      return absl::ResourceExhaustedError("as asked for");
    case Job::THROW:
      throw std::runtime_error("as asked for");
    case Job::WAIT:
      while (!context.IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
      return absl::CancelledError("waited for it");
    default:
      return absl::OkStatus();
  }
}

// Keeps a payload beyond its call.
void Hold(const Job& job, Payload payload) {
  if (job.hold_us() == 0) return;
  DefaultExecutor().Run([payload = std::move(payload), hold = absl::Microseconds(job.hold_us()), seed = job.seed()] {
    absl::SleepFor(hold);
    if (!IsSeeded(seed, payload)) std::abort();  // changed while it was held
  });
}

Done DoneOf(const Job& job) {
  Done done;
  done.set_seed(job.seed());
  return done;
}

}  // namespace

absl::StatusOr<WithPayload<Done>> BenchService::Unary(ServerContext& context, const Job& job, Payload payload) {
  if (payload.size() != job.size() || !IsSeeded(job.seed(), payload)) return WrongBytes();
  if (absl::Status status = Act(context, job); !status.ok()) return status;
  Hold(job, payload);
  Done done = DoneOf(job);
  done.set_bytes(payload.size());
  return WithPayload<Done>{std::move(done), std::move(payload)};
}

absl::StatusOr<Done> BenchService::Collect(ServerContext& context, ServerReader<WithPayload<Job>>& reader) {
  Done done;
  for (;;) {
    absl::StatusOr<std::optional<WithPayload<Job>>> item = reader.Read();
    if (!item.ok()) return item.status();
    if (!item->has_value()) return done;
    const Job& job = (*item)->message;
    if ((*item)->payload.size() != job.size() || !IsSeeded(job.seed(), (*item)->payload)) return WrongBytes();
    done.set_count(done.count() + 1);
    done.set_bytes(done.bytes() + job.size());
    if (absl::Status status = Act(context, job); !status.ok()) return status;
    Hold(job, std::move((*item)->payload));
  }
}

absl::Status BenchService::Produce(ServerContext& context, const Job& job, ServerWriter<WithPayload<Done>>& writer) {
  for (uint64_t i = 0; i < job.count(); ++i) {
    Done done = DoneOf(job);
    done.set_count(i);
    if (absl::Status status = writer.Write(done, SeededPayload(job.seed(), job.size())); !status.ok()) return status;
  }
  return Act(context, job);
}

absl::Status BenchService::Chat(ServerContext& context,
                                ServerReaderWriter<WithPayload<Done>, WithPayload<Job>>& stream) {
  for (;;) {
    absl::StatusOr<std::optional<WithPayload<Job>>> item = stream.Read();
    if (!item.ok() || !item->has_value()) return item.status();
    const Job& job = (*item)->message;
    if ((*item)->payload.size() != job.size() || !IsSeeded(job.seed(), (*item)->payload)) return WrongBytes();
    if (absl::Status status = Act(context, job); !status.ok()) return status;
    absl::Status written = stream.Write(DoneOf(job), std::move((*item)->payload));
    if (!written.ok()) return written;
  }
}

absl::StatusOr<Done> BenchService::Pour(ServerContext& context, const Job& job, ServerReader<Payload>& pieces) {
  Done done = DoneOf(job);
  for (;;) {
    absl::StatusOr<std::optional<Payload>> piece = pieces.Read();
    if (!piece.ok()) return piece.status();
    if (!piece->has_value()) break;
    if (!IsSeeded(job.seed(), **piece, done.bytes())) return WrongBytes();
    done.set_bytes(done.bytes() + (*piece)->size());
  }
  if (absl::Status status = Act(context, job); !status.ok()) return status;
  return done;
}

absl::Status BenchService::Draw(ServerContext& context, const Job& job, ServerPieceWriter<Done>& pieces) {
  absl::Status status = pieces.WriteMessage(DoneOf(job));
  const Payload whole = SeededPayload(job.seed(), job.size());
  for (uint64_t at = 0; status.ok() && at < whole.size(); at += kPieceBytes) {
    status = pieces.Write(whole.Slice(at, kPieceBytes));
  }
  return status.ok() ? Act(context, job) : status;
}

}  // namespace pagewire::bench
