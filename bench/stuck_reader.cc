#include "stuck_reader.h"

#include <absl/time/clock.h>
#include <pagewire/pagewire.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "bench.pagewire.h"

namespace pagewire::bench {
namespace {

constexpr absl::Duration kPhase = absl::Milliseconds(1500);
constexpr absl::Duration kSettle = absl::Milliseconds(500);  // until what was on its way has arrived

// Writes for as long as somebody reads.
class Source final : public Bench::CallbackService {
 public:
  explicit Source(uint64_t payload_bytes) {
    if (payload_bytes > 0) payload_ = PayloadBuffer::Allocate(payload_bytes).Freeze();
  }

 private:
  void Produce(ServerContext&, const Job&, AsyncServerWriter<WithPayload<Done>> writer,
               absl::AnyInvocable<void(absl::Status)> done) override {
    struct Writing : std::enable_shared_from_this<Writing> {
      explicit Writing(AsyncServerWriter<WithPayload<Done>> stream) : writer(std::move(stream)) {}
      void Next() {
        writer.Write(Done(), payload, [self = shared_from_this()](absl::Status status) {
          if (!status.ok()) return self->done(std::move(status));
          self->Next();
        });
      }
      AsyncServerWriter<WithPayload<Done>> writer;
      Payload payload;
      absl::AnyInvocable<void(absl::Status)> done;
    };
    const auto writing = std::make_shared<Writing>(std::move(writer));
    writing->payload = payload_;
    writing->done = std::move(done);
    writing->Next();
  }

  Payload payload_;
};

// Reads one stream as fast as it can, unless it is stuck.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(Bench::Stub& stub, std::atomic<uint64_t>& read)
      : stream_(stub.Callback().Produce(context_, Job())), read_(read) {}

  void Next() {
    {
      base::MutexLock lock(mutex_);
      waiting_ = stuck_;
      if (stuck_) return;
    }
    stream_.Read([self = shared_from_this()](const absl::StatusOr<std::optional<WithPayload<Done>>>& item) {
      if (!item.ok() || !item->has_value()) return;
      ++self->read_;
      self->Next();
    });
  }
  void SetStuck(bool stuck) {
    bool go_on = false;
    {
      base::MutexLock lock(mutex_);
      stuck_ = stuck;
      go_on = !stuck && std::exchange(waiting_, false);
    }
    if (go_on) Next();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  ClientContext context_;
  AsyncClientReader<WithPayload<Done>> stream_;
  std::atomic<uint64_t>& read_;
  base::Mutex mutex_;
  bool stuck_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

int RunStuckReader(const StuckReaderOptions& options) {
  Source source(options.payload_bytes);
  ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
  builder.RegisterService(&source);
  builder.SetMaxConcurrentCallsPerConnection(options.streams);
  const auto server = builder.BuildAndStart();
  if (!server.ok()) return 1;
  Bench::Stub stub(CreateChannel("ipv4:127.0.0.1:" + std::to_string(port), InsecureChannelCredentials()));
  std::atomic<uint64_t> of_stuck = 0, of_others = 0;
  std::vector<std::shared_ptr<Reader>> readers;
  for (int i = 0; i < options.streams; ++i) {
    readers.push_back(std::make_shared<Reader>(stub, i == 0 ? of_stuck : of_others));
    readers.back()->Next();
  }
  absl::SleepFor(absl::Seconds(1));
  // Messages of the others in one phase; of the one reader, which is the check that it was stuck, too.
  const auto run = [&](bool stuck) {
    readers[0]->SetStuck(stuck);
    absl::SleepFor(kSettle);
    const uint64_t others = of_others, its = of_stuck;
    absl::SleepFor(kPhase);
    return std::pair(of_others - others, of_stuck - its);
  };
  std::vector<double> ratios;
  bool right = true;
  for (int round = 0; round < options.rounds; ++round) {
    const auto [free_before, read_before] = run(false);
    const auto [others, read_stuck] = run(true);
    const auto [free_after, read_after] = run(false);
    right = right && read_before > 0 && read_stuck == 0 && read_after > 0;
    ratios.push_back(2.0 * others / (free_before + free_after));
  }
  for (const auto& reader : readers) reader->Cancel();
  std::sort(ratios.begin(), ratios.end());
  std::printf(
      "{\"streams\": %d, \"payload_bytes\": %lu, \"ratio\": %.3f, \"least\": %.3f, \"most\": %.3f, "
      "\"stuck_as_meant\": %s}\n",
      options.streams, options.payload_bytes, ratios[ratios.size() / 2], ratios.front(), ratios.back(),
      right ? "true" : "false");
  return right ? 0 : 1;
}

}  // namespace pagewire::bench
