// gRPC without messages: ByteBuffers of slices that point to the payload, on completion queues, each with a thread.
#include <absl/flags/flag.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/bytes.h"
#include "peers/grpc_peer.h"
#include "peers/pooled_memory.h"

ABSL_FLAG(int32_t, generic_queues, 1,
          "generic: completion queues on each side, with a thread each, and at the client a channel; one is fastest");

namespace pagewire::bench {
namespace {

int Queues(const Options& options) { return std::clamp(absl::GetFlag(FLAGS_generic_queues), 1, options.inflight); }

grpc::ByteBuffer BufferOf(grpc::Slice slice) { return grpc::ByteBuffer(&slice, 1); }

// Payloads as slices: of the same `count` in turn, as many as are in flight, or of pooled memory that has been written.
class SliceSource {
 public:
  SliceSource(uint64_t bytes, int count, bool touch) : touch_(touch), memory_(bytes) {
    for (int i = 0; i < count && !touch; ++i) {
      same_.push_back(memory_.Take());
      FillBytes(same_.back(), bytes, 0);
    }
  }

  grpc::Slice Next() {
    if (!touch_) return grpc::Slice(same_[seed_++ % same_.size()], memory_.bytes(), grpc::Slice::STATIC_SLICE);
    char* const block = memory_.Take();
    FillBytes(block, memory_.bytes(), seed_++);
    struct Loan {
      PooledMemory& memory;
      char* block;
    };
    const auto give_back = [](void* loan) {
      auto* const given = static_cast<Loan*>(loan);
      given->memory.Give(given->block);
      delete given;
    };
    return grpc::Slice(block, memory_.bytes(), give_back, new Loan{memory_, block});
  }

 private:
  const bool touch_;
  PooledMemory memory_;
  std::vector<char*> same_;
  std::atomic<uint64_t> seed_ = 0;
};

// What arrived well; 0 if bytes that were to be read are wrong.
uint64_t TakeBuffer(const grpc::ByteBuffer& buffer, bool touch) {
  if (!touch) return buffer.Length();
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return 0;
  ByteReader reader;
  for (const grpc::Slice& slice : slices) reader.Read(slice.begin(), slice.size());
  return reader.right() ? buffer.Length() : 0;
}

grpc::ByteBuffer NumberBuffer(uint64_t number) { return BufferOf(grpc::Slice(&number, sizeof(number))); }

uint64_t NumberOf(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  uint64_t number = 0;
  if (buffer.Length() != sizeof(number) || !buffer.DumpToSingleSlice(&slice).ok()) return 0;
  std::memcpy(&number, slice.begin(), sizeof(number));
  return number;
}

// One call at the server, then the next one.
class Served {
 public:
  Served(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue, SliceSource& source, bool touch)
      : service_(service), queue_(queue), source_(source), touch_(touch) {
    Wait();
  }

  void Step(bool ok) {
    if (!ok) return Wait();  // the call or the server has ended
    switch (next_) {
      case Next::kRead:
        next_ = Next::kAnswer;
        return stream_->Read(&buffer_, this);
      case Next::kAnswer:
        next_ = Next::kWait;
        return Answer();
      case Next::kWait:
        return Wait();
    }
  }

 private:
  enum class Next { kRead, kAnswer, kWait };

  void Wait() {
    stream_.reset();
    context_.emplace();
    stream_.emplace(&*context_);
    next_ = Next::kRead;
    service_.RequestCall(&*context_, &*stream_, &queue_, &queue_, this);
  }

  void Answer() {
    if (context_->method() == "/Put") {
      const uint64_t arrived = TakeBuffer(buffer_, touch_);
      buffer_.Clear();
      return Write(NumberBuffer(arrived));
    }
    if (context_->method() == "/Get") return Write(BufferOf(source_.Next()));
    Write(std::exchange(buffer_, grpc::ByteBuffer()));
  }

  void Write(const grpc::ByteBuffer& answer) {
    stream_->WriteAndFinish(answer, grpc::WriteOptions(), grpc::Status::OK, this);
  }

  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue& queue_;
  SliceSource& source_;
  const bool touch_;
  std::optional<grpc::GenericServerContext> context_;
  std::optional<grpc::GenericServerAsyncReaderWriter> stream_;
  grpc::ByteBuffer buffer_;
  Next next_ = Next::kRead;
};

struct Serving {
  explicit Serving(const Options& options) : source(options.payload_bytes, options.inflight, options.touch) {}

  grpc::AsyncGenericService service;
  SliceSource source;
  std::unique_ptr<grpc::Server> server;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  std::vector<std::unique_ptr<Served>> calls;
  std::vector<std::thread> threads;  // until the process ends
};

// One call after the other on a completion queue.
class Caller {
 public:
  Caller(const Options& options, Kind kind, Recorder& recorder, const std::shared_ptr<grpc::Channel>& channel,
         grpc::CompletionQueue& queue)
      : options_(options),
        kind_(kind),
        recorder_(recorder),
        stub_(channel),
        queue_(queue),
        expected_(kind == Kind::kEcho ? options.message_bytes : options.payload_bytes),
        source_(expected_, kind == Kind::kGet ? 0 : 1, kind == Kind::kPut && options.touch) {}

  void Begin() {
    began_ = Recorder::Now();
    context_.emplace();
    const grpc::ByteBuffer request = kind_ == Kind::kGet ? NumberBuffer(expected_) : BufferOf(source_.Next());
    const char* const method = kind_ == Kind::kEcho ? "/Echo" : kind_ == Kind::kPut ? "/Put" : "/Get";
    reader_ = stub_.PrepareUnaryCall(&*context_, method, request, &queue_);
    reader_->StartCall();
    reader_->Finish(&reply_, &status_, this);
  }

  bool End() {
    if (!status_.ok()) {
      recorder_.Failed("gRPC: " + status_.error_message());
      return false;
    }
    const uint64_t arrived =
        kind_ == Kind::kPut ? NumberOf(reply_) : TakeBuffer(reply_, kind_ == Kind::kGet && options_.touch);
    reply_.Clear();
    if (arrived != expected_) {
      recorder_.Failed("gRPC: " + std::to_string(arrived) + " bytes arrived, and were right, of " +
                       std::to_string(expected_));
      return false;
    }
    recorder_.Ended(began_, kind_ == Kind::kEcho ? 0 : arrived);
    return true;
  }

 private:
  const Options& options_;
  const Kind kind_;
  Recorder& recorder_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue& queue_;
  const uint64_t expected_;
  SliceSource source_;
  std::optional<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  Recorder::Time began_;
};

// Those of one queue, by one thread.
class QueueCallers {
 public:
  QueueCallers(const Options& options, Kind kind, int count, Tally& tally,
               const std::shared_ptr<grpc::Channel>& channel) {
    for (int i = 0; i < count; ++i) {
      callers_.push_back(std::make_unique<Caller>(options, kind, tally.Add(), channel, queue_));
    }
    thread_ = std::thread([this] { Run(); });
  }
  void Stop() { stop_ = true; }
  ~QueueCallers() {
    thread_.join();
    queue_.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) continue;
  }

 private:
  void Run() {
    for (const auto& caller : callers_) caller->Begin();
    void* tag = nullptr;
    bool ok = false;
    for (size_t open = callers_.size(); open > 0 && queue_.Next(&tag, &ok);) {
      auto* const caller = static_cast<Caller*>(tag);
      if (caller->End() && !stop_) {
        caller->Begin();
      } else {
        --open;
      }
    }
  }

  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class GenericCallers final : public Callers {
 public:
  explicit GenericCallers(std::vector<std::unique_ptr<QueueCallers>> queues) : queues_(std::move(queues)) {}
  ~GenericCallers() override {
    for (const auto& queue : queues_) queue->Stop();
  }

 private:
  const std::vector<std::unique_ptr<QueueCallers>> queues_;
};

class GenericClient final : public Client {
 public:
  GenericClient(const Options& options, int port) : options_(options) {
    for (int i = 0; i < Queues(options); ++i) channels_.push_back(MakeGrpcChannel(options, port));
  }

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    std::vector<std::unique_ptr<QueueCallers>> queues;
    const int used = std::min(static_cast<int>(channels_.size()), count);
    for (int i = 0; i < used; ++i) {
      const int share = count / used + (i < count % used ? 1 : 0);
      queues.push_back(std::make_unique<QueueCallers>(options_, kind, share, tally, channels_[i]));
    }
    return std::make_unique<GenericCallers>(std::move(queues));
  }

 private:
  const Options& options_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace

std::shared_ptr<void> ServeGrpcGeneric(const Options& options, int& port) {
  const auto serving = std::make_shared<Serving>(options);
  grpc::ServerBuilder builder;
  SetGrpcOptions(builder, options, port);
  builder.RegisterAsyncGenericService(&serving->service);
  const int queues = Queues(options);
  for (int i = 0; i < queues; ++i) serving->queues.push_back(builder.AddCompletionQueue());
  serving->server = builder.BuildAndStart();
  if (serving->server == nullptr) return nullptr;
  for (const auto& queue : serving->queues) {
    // As many as may come at once, and some that wait already while those are answered.
    for (int i = 0; i < 2 * options.inflight + 2; ++i) {
      serving->calls.push_back(std::make_unique<Served>(serving->service, *queue, serving->source, options.touch));
    }
    serving->threads.emplace_back([&queue = *queue] {
      void* tag = nullptr;
      for (bool ok = false; queue.Next(&tag, &ok);) static_cast<Served*>(tag)->Step(ok);
    });
  }
  return serving;
}

std::unique_ptr<Client> MakeGrpcGenericClient(const Options& options, int port) {
  return std::make_unique<GenericClient>(options, port);
}

}  // namespace pagewire::bench
