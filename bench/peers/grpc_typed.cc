// gRPC's generated code: payloads are a field of a message, which is parsed and serialized whole.
#include <absl/flags/flag.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grpc_load.grpc.pb.h"
#include "harness/bytes.h"
#include "harness/thread_callers.h"
#include "harness/usage.h"
#include "peers/grpc_peer.h"

ABSL_FLAG(
    int32_t, typed_channels, 0,
    "sync, callback: channels, each with a connection of its own; 0: as many as there are CPUs, but not more than "
    "calls in flight");

namespace pagewire::bench {
namespace {

using peer::Load;
using peer::Message;
using peer::Size;

// Messages that carry what is given; while nothing is to be written they are made once.
void FillMessage(Message& message, uint64_t bytes, uint64_t seed) {
  std::string& payload = *message.mutable_payload();
  if (payload.size() != bytes) payload.resize(bytes, 'x');
  FillBytes(payload.data(), payload.size(), seed);
}

// What of the message arrived well; 0 if bytes that were to be read are wrong.
uint64_t TakeMessage(const Message& message, bool touch) {
  if (!touch) return message.payload().size();
  ByteReader reader;
  reader.Read(message.payload().data(), message.payload().size());
  return reader.right() ? message.payload().size() : 0;
}

class SyncService final : public Load::Service {
 public:
  explicit SyncService(const Options& options)
      : touch_(options.touch), same_(options.inflight, std::string(options.payload_bytes, 'x')) {}

 private:
  grpc::Status Echo(grpc::ServerContext*, const Message* request, Message* reply) override {
    *reply = *request;
    return grpc::Status::OK;
  }
  grpc::Status Put(grpc::ServerContext*, const Message* request, Size* reply) override {
    reply->set_bytes(TakeMessage(*request, touch_));
    return grpc::Status::OK;
  }
  grpc::Status Get(grpc::ServerContext*, const Size* request, Message* reply) override {
    if (touch_) {
      FillMessage(*reply, request->bytes(), seed_++);
    } else {
      reply->set_payload(same_[seed_++ % same_.size()]);  // a copy: the message that gRPC gives must own its bytes
    }
    return grpc::Status::OK;
  }

  const bool touch_;
  const std::vector<std::string> same_;  // as many as are in flight
  std::atomic<uint64_t> seed_ = 0;
};

// Messages that are used again and keep the memory that they have. What spares gRPC's users an allocation of each
// payload's size.
template <typename Request, typename Reply>
class UsedMessages final : public grpc::MessageAllocator<Request, Reply> {
 public:
  grpc::MessageHolder<Request, Reply>* AllocateMessages() override {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return new Holder(*this);
    Holder* const holder = free_.back();
    free_.pop_back();
    return holder;
  }

 private:
  class Holder final : public grpc::MessageHolder<Request, Reply> {
   public:
    explicit Holder(UsedMessages& owner) : owner_(owner) {
      this->set_request(&request_);
      this->set_response(&reply_);
    }
    void Release() override {
      std::lock_guard lock(owner_.mutex_);
      owner_.free_.push_back(this);
    }

   private:
    UsedMessages& owner_;
    Request request_;
    Reply reply_;
  };

  std::mutex mutex_;
  std::vector<Holder*> free_;  // for as long as the process runs
};

class CallbackService final : public Load::CallbackService {
 public:
  explicit CallbackService(const Options& options) : touch_(options.touch) {
    SetMessageAllocatorFor_Echo(&echo_messages_);
    SetMessageAllocatorFor_Put(&put_messages_);
    SetMessageAllocatorFor_Get(&get_messages_);
  }

 private:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const Message* request,
                                 Message* reply) override {
    *reply = *request;
    return Finish(context);
  }
  grpc::ServerUnaryReactor* Put(grpc::CallbackServerContext* context, const Message* request, Size* reply) override {
    reply->set_bytes(TakeMessage(*request, touch_));
    return Finish(context);
  }
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const Size* request, Message* reply) override {
    // The reply is used again, and while nothing is to be written it is what it has been.
    if (touch_ || reply->payload().size() != request->bytes()) FillMessage(*reply, request->bytes(), seed_++);
    return Finish(context);
  }

  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const bool touch_;
  std::atomic<uint64_t> seed_ = 0;
  UsedMessages<Message, Message> echo_messages_;
  UsedMessages<Message, Size> put_messages_;
  UsedMessages<Size, Message> get_messages_;
};

template <typename Service>
std::shared_ptr<void> Serve(const Options& options, int& port) {
  struct Serving {
    explicit Serving(const Options& served) : service(served) {}
    Service service;
    std::unique_ptr<grpc::Server> server;
  };
  const auto serving = std::make_shared<Serving>(options);
  grpc::ServerBuilder builder;
  SetGrpcOptions(builder, options, port);
  builder.RegisterService(&serving->service);
  serving->server = builder.BuildAndStart();
  return serving->server == nullptr ? nullptr : serving;
}

// One caller's messages, and what is done with them before and after a call.
class TypedCall {
 public:
  TypedCall(const Options& options, Kind kind, Tally& tally) : options_(options), kind_(kind), recorder_(tally.Add()) {
    size_.set_bytes(options.payload_bytes);
    if (kind != Kind::kGet) FillMessage(message_, Expected(), 0);
  }

  void Begin() {
    began_ = Recorder::Now();
    context_.emplace();
    if (kind_ == Kind::kPut && options_.touch) FillMessage(message_, options_.payload_bytes, seed_++);
  }

  bool End(const grpc::Status& status) {
    if (!status.ok()) {
      recorder_.Failed("gRPC: " + status.error_message());
      return false;
    }
    const uint64_t arrived =
        kind_ == Kind::kPut ? size_.bytes() : TakeMessage(reply_, kind_ == Kind::kGet && options_.touch);
    if (arrived != Expected()) {
      recorder_.Failed("gRPC: " + std::to_string(arrived) + " bytes arrived, and were right, of " +
                       std::to_string(Expected()));
      return false;
    }
    recorder_.Ended(began_, kind_ == Kind::kEcho ? 0 : arrived);
    return true;
  }

  Kind kind() const { return kind_; }
  grpc::ClientContext* context() { return &*context_; }
  Message& message() { return message_; }
  Message& reply() { return reply_; }
  Size& size() { return size_; }

 private:
  uint64_t Expected() const { return kind_ == Kind::kEcho ? options_.message_bytes : options_.payload_bytes; }

  const Options& options_;
  const Kind kind_;
  Recorder& recorder_;
  std::optional<grpc::ClientContext> context_;
  Message message_;
  Message reply_;
  Size size_;  // asked for, or of the answer
  uint64_t seed_ = 0;
  Recorder::Time began_;
};

class TypedClient : public Client {
 public:
  TypedClient(const Options& options, int port) : options_(options) {
    const int wanted = absl::GetFlag(FLAGS_typed_channels);
    for (int i = 0; i < std::min(options.inflight, wanted > 0 ? wanted : CpuCount()); ++i) {
      stubs_.push_back(Load::NewStub(MakeGrpcChannel(options, port)));
    }
  }

 protected:
  Load::Stub& NextStub() { return *stubs_[next_++ % stubs_.size()]; }

  const Options& options_;

 private:
  std::vector<std::unique_ptr<Load::Stub>> stubs_;
  std::atomic<size_t> next_ = 0;
};

class SyncClient final : public TypedClient {
 public:
  using TypedClient::TypedClient;

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    return StartThreads(count, [this, kind, &tally]() -> std::function<bool()> {
      return [call = std::make_shared<TypedCall>(options_, kind, tally), &stub = NextStub()] {
        call->Begin();
        switch (call->kind()) {
          case Kind::kEcho:
            return call->End(stub.Echo(call->context(), call->message(), &call->reply()));
          case Kind::kPut:
            return call->End(stub.Put(call->context(), call->message(), &call->size()));
          case Kind::kGet:
            return call->End(stub.Get(call->context(), call->size(), &call->reply()));
        }
        return false;
      };
    });
  }
};

class CallbackCaller {
 public:
  CallbackCaller(const Options& options, Kind kind, Tally& tally, Load::Stub& stub)
      : call_(options, kind, tally), stub_(stub) {}

  void Start() { Next(); }
  void Stop() { stop_ = true; }
  void Wait() { stopped_.wait(); }

 private:
  void Next() {
    if (stop_) return stopped_.count_down();
    call_.Begin();
    const auto done = [this](const grpc::Status& status) { call_.End(status) ? Next() : stopped_.count_down(); };
    switch (call_.kind()) {
      case Kind::kEcho:
        return stub_.async()->Echo(call_.context(), &call_.message(), &call_.reply(), done);
      case Kind::kPut:
        return stub_.async()->Put(call_.context(), &call_.message(), &call_.size(), done);
      case Kind::kGet:
        return stub_.async()->Get(call_.context(), &call_.size(), &call_.reply(), done);
    }
  }

  TypedCall call_;
  Load::Stub& stub_;
  std::atomic<bool> stop_ = false;
  std::latch stopped_{1};
};

class CallbackCallers final : public Callers {
 public:
  CallbackCallers(std::vector<std::unique_ptr<CallbackCaller>> callers) : callers_(std::move(callers)) {
    for (const auto& caller : callers_) caller->Start();
  }
  ~CallbackCallers() override {
    for (const auto& caller : callers_) caller->Stop();
    for (const auto& caller : callers_) caller->Wait();
  }

 private:
  const std::vector<std::unique_ptr<CallbackCaller>> callers_;
};

class CallbackClient final : public TypedClient {
 public:
  using TypedClient::TypedClient;

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    std::vector<std::unique_ptr<CallbackCaller>> callers;
    for (int i = 0; i < count; ++i) {
      callers.push_back(std::make_unique<CallbackCaller>(options_, kind, tally, NextStub()));
    }
    return std::make_unique<CallbackCallers>(std::move(callers));
  }
};

}  // namespace

std::shared_ptr<void> ServeGrpcSync(const Options& options, int& port) { return Serve<SyncService>(options, port); }

std::shared_ptr<void> ServeGrpcCallback(const Options& options, int& port) {
  return Serve<CallbackService>(options, port);
}

std::unique_ptr<Client> MakeGrpcSyncClient(const Options& options, int port) {
  return std::make_unique<SyncClient>(options, port);
}

std::unique_ptr<Client> MakeGrpcCallbackClient(const Options& options, int port) {
  return std::make_unique<CallbackClient>(options, port);
}

}  // namespace pagewire::bench
