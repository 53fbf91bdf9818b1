#include "chaos_caller.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "seeded_bytes.h"

namespace pagewire::bench {
namespace {

constexpr uint64_t kMessages = 8;
constexpr int64_t kMostInFlight = 64;

bool IsAnswer(const Job& job, const absl::StatusOr<WithPayload<Done>>& reply) {
  return reply.ok() && reply->message.seed() == job.seed() && reply->payload.size() == job.size() &&
         IsSeeded(job.seed(), reply->payload);
}

#ifdef __cpp_impl_coroutine
// Parameters, not captures: a coroutine keeps those.
template <typename Call>
Task<> CallInCoroutine(ChaosWorld& world, Bench::Stub& stub, std::shared_ptr<Call> call) {
  const absl::StatusOr<WithPayload<Done>> reply =
      co_await stub.Co().Unary(call->context, call->job, SeededPayload(call->job.seed(), call->job.size()));
  world.findings.Ended("coroutine", call->job, reply.status(), IsAnswer(call->job, reply));
  --world.in_flight;
}
#endif

}  // namespace

void ChaosCaller::Reconnect() {
  ChannelOptions options;
  options.connections_per_peer = 1 + random_() % 3;
  stub_ = std::make_unique<Bench::Stub>(CreateCustomChannel(world_.target, InsecureChannelCredentials(), options));
}

void ChaosCaller::Step() {
  busy_since_us_ = absl::ToUnixMicros(absl::Now());
  if (Chance(50)) Reconnect();  // calls in flight, too, lose their channel
  switch (random_() % 9) {
    case 0:
      return Unary();
    case 1:
      return UnaryWithCallback();
    case 2:
      return UnaryInCoroutine();
    case 3:
      return Collect();
    case 4:
      return Produce();
    case 5:
      return Chat();
    case 6:
      return Pour();
    case 7:
      return Draw();
    case 8:
      return Abandon();
  }
}

std::shared_ptr<ChaosCaller::Call> ChaosCaller::MakeCall(uint64_t most_bytes) {
  auto call = std::make_shared<Call>();
  Job& job = call->job;
  job.set_seed(random_() % 1'000'000);
  // As many small ones as large ones.
  job.set_size(Chance(4) ? 0 : random_() % (most_bytes >> random_() % 12));
  job.set_count(random_() % kMessages);
  if (Chance(3)) job.set_sleep_us(random_() % 3000);
  if (Chance(3)) job.set_hold_us(random_() % 30'000);
  if (Chance(6)) job.set_end(Chance(2) ? Job::STATUS : Job::THROW);
  const bool cancel = Chance(5);
  const bool soon = Chance(5);
  if ((cancel || soon) && Chance(3)) job.set_end(Job::WAIT);
  call->context.set_timeout(soon ? absl::Microseconds(random_() % 30'000) : kLongestCall);
  call->context.set_wait_for_ready(Chance(2));
  if (!cancel) return call;
  if (Chance(2)) call->context.CancelOn(call->stop.get_token());
  DefaultExecutor().Run([weak = std::weak_ptr<Call>(call), after = absl::Microseconds(random_() % 10'000)] {
    absl::SleepFor(after);
    const auto open = weak.lock();
    if (open == nullptr) return;
    open->stop.request_stop();
    open->context.TryCancel();
  });
  return call;
}

void ChaosCaller::Unary() {
  const auto call = MakeCall(4 << 20);
  const auto reply = stub_->Unary(call->context, call->job, SeededPayload(call->job.seed(), call->job.size()));
  world_.findings.Ended("unary", call->job, reply.status(), IsAnswer(call->job, reply));
}

void ChaosCaller::UnaryWithCallback() {
  if (world_.in_flight > kMostInFlight) return Unary();
  const auto call = MakeCall(1 << 20);
  ++world_.in_flight;
  stub_->Callback().Unary(call->context, call->job, SeededPayload(call->job.seed(), call->job.size()),
                          [&world = world_, call](absl::StatusOr<WithPayload<Done>> reply) {
                            world.findings.Ended("callback", call->job, reply.status(), IsAnswer(call->job, reply));
                            --world.in_flight;
                          });
}

void ChaosCaller::UnaryInCoroutine() {
#ifdef __cpp_impl_coroutine
  if (world_.in_flight > kMostInFlight) return Unary();
  ++world_.in_flight;
  Start(CallInCoroutine(world_, *stub_, MakeCall(1 << 20)), [] {});
#else
  Unary();
#endif
}

void ChaosCaller::Collect() {
  const auto call = MakeCall(512 << 10);
  const auto writer = stub_->Collect(call->context);
  Job item = call->job;
  item.set_end(Job::OK);
  uint64_t written = 0;
  for (; written < call->job.count(); ++written) {
    if (!writer->Write(item, SeededPayload(item.seed(), item.size())).ok()) break;
  }
  // The last one says how it ends.
  if (!writer->Write(call->job, SeededPayload(call->job.seed(), call->job.size())).ok()) written = 0;
  const absl::StatusOr<Done> done = writer->Finish();
  world_.findings.Ended("collect", call->job, done.status(),
                        done.ok() && done->count() == written + 1 && done->bytes() == (written + 1) * item.size());
}

void ChaosCaller::Produce() {
  const auto call = MakeCall(512 << 10);
  const auto reader = stub_->Produce(call->context, call->job);
  uint64_t count = 0;
  bool right = true;
  for (;;) {
    const absl::StatusOr<std::optional<WithPayload<Done>>> item = reader->Read();
    if (!item.ok() || !item->has_value()) break;
    right = right && (*item)->message.count() == count++ && (*item)->payload.size() == call->job.size() &&
            IsSeeded(call->job.seed(), (*item)->payload);
  }
  const absl::Status status = reader->Finish();
  if (!right) world_.findings.Wrong("a payload of a stream is wrong");
  world_.findings.Ended("produce", call->job, status, count == call->job.count());
}

void ChaosCaller::Chat() {
  const auto call = MakeCall(512 << 10);
  const auto stream = stub_->Chat(call->context);
  Job item = call->job;
  item.set_end(Job::OK);
  uint64_t count = 0;
  for (; count < call->job.count(); ++count) {
    if (!stream->Write(item, SeededPayload(item.seed(), item.size())).ok()) break;
    const absl::StatusOr<std::optional<WithPayload<Done>>> back = stream->Read();
    if (!back.ok() || !back->has_value()) break;
    if ((*back)->payload.size() != item.size() || !IsSeeded(item.seed(), (*back)->payload)) {
      world_.findings.Wrong("a payload of a chat is wrong");
    }
  }
  const absl::Status status = stream->Finish();
  world_.findings.Ended("chat", item, status, count == call->job.count());
}

void ChaosCaller::Pour() {
  const auto call = MakeCall(8 << 20);
  const Payload whole = SeededPayload(call->job.seed(), call->job.size());
  const auto writer = stub_->Pour(call->context, call->job);
  const uint64_t piece_bytes = 1 + random_() % (1 << 20);
  for (uint64_t at = 0; at < whole.size(); at += piece_bytes) {
    if (!writer->Write(whole.Slice(at, piece_bytes)).ok()) break;
  }
  const absl::StatusOr<Done> done = writer->Finish();
  world_.findings.Ended("pour", call->job, done.status(), done.ok() && done->bytes() == call->job.size());
}

void ChaosCaller::Draw() {
  const auto call = MakeCall(8 << 20);
  const auto reader = stub_->Draw(call->context, call->job);
  uint64_t bytes = 0;
  if (reader->ReadMessage().ok()) {
    for (;;) {
      const absl::StatusOr<std::optional<Payload>> piece = reader->Read();
      if (!piece.ok() || !piece->has_value()) break;
      if (!IsSeeded(call->job.seed(), **piece, bytes)) world_.findings.Wrong("a piece is wrong");
      bytes += (*piece)->size();
    }
  }
  const absl::Status status = reader->Finish();
  world_.findings.Ended("draw", call->job, status, bytes == call->job.size());
}

// Streams whose handles are dropped in the middle, with operations pending.
void ChaosCaller::Abandon() {
  const auto call = MakeCall(1 << 20);
  const auto write = [&](const auto& writer) {
    for (uint64_t i = 0; i < call->job.count(); ++i) {
      writer.Write(call->job, SeededPayload(call->job.seed(), call->job.size()), [](absl::Status) {});
    }
  };
  if (Chance(2)) {
    const auto stream = stub_->Callback().Chat(call->context);
    for (uint64_t i = 0; i < call->job.count(); ++i) stream.Read([call](const auto&) {});
    write(stream);
  } else {
    write(stub_->Callback().Collect(call->context));
  }
}

}  // namespace pagewire::bench
