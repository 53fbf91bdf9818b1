#include "client/client_stream.h"

#include <pagewire/executor.h>
#include <pagewire/internal/channel_access.h>

#include <absl/strings/str_cat.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/status.h"

namespace pagewire::client {
namespace {

using internal::RawMessage;
using ResponseDone = absl::AnyInvocable<void(absl::StatusOr<RawMessage>)>;

absl::Status Cancelled(const call::ClientCall& call) {
  return absl::CancelledError(absl::StrCat(call.method(), ": cancelled by the client"));
}

class BrokenStream final : public internal::RawClientStream {
 public:
  explicit BrokenStream(absl::Status status) : status_(std::move(status)) {}

  void Read(ReadDone done) override { Answer(std::move(done)); }
  void Write(internal::RawMessage, bool, WriteDone done) override { Answer(std::move(done)); }
  void AwaitInitialMetadata(absl::AnyInvocable<void(absl::Status)> done) override { Answer(std::move(done)); }
  void WritesDone(WriteDone done) override { Answer(std::move(done)); }
  void FinishWithResponse(ResponseDone done) override { Answer(std::move(done)); }
  void Finish(absl::AnyInvocable<void(absl::Status)> done) override { Answer(std::move(done)); }
  void Reject() override {}
  uint64_t PeerReceivedBytes() const override { return 0; }

 private:
  template <typename Done>
  void Answer(Done done) const {
    DefaultExecutor().Run([status = base::CloneStatus(status_), done = std::move(done)]() mutable {
      std::move(done)(std::move(status));
    });
  }

  const absl::Status status_;
};

// Of a call whose response is one message. On the loop; lives as long as one of its answers is awaited.
class OneResponse final : public std::enable_shared_from_this<OneResponse> {
 public:
  OneResponse(std::shared_ptr<call::StreamClientCall> call, ResponseDone done)
      : call_(std::move(call)), done_(std::move(done)) {}

  void Await() {
    call_->WritesDone([](absl::Status) {});
    call_->Read([self = shared_from_this()](ReadResult first) { self->TakeFirst(std::move(first)); });
  }

 private:
  using ReadResult = absl::StatusOr<std::optional<RawMessage>>;

  void TakeFirst(ReadResult first) {
    if (!first.ok()) return done_(std::move(first).status());
    response_ = *std::move(first);
    if (!response_.has_value()) return AwaitEnd();
    call_->Read([self = shared_from_this()](ReadResult second) { self->TakeSecond(std::move(second)); });
  }

  void TakeSecond(ReadResult second) {
    if (!second.ok()) return done_(std::move(second).status());
    if (!second->has_value()) return AwaitEnd();
    call_->Cancel(Cancelled(*call_));
    done_(WrongCount("sent a second response message"));
  }

  void AwaitEnd() {
    call_->AwaitEnd([self = shared_from_this()](absl::Status status) {
      if (!status.ok()) return self->done_(std::move(status));
      if (!self->response_.has_value()) {
        return self->done_(self->WrongCount("ended the call with OK before its response message"));
      }
      self->done_(*std::move(self->response_));
    });
  }

  absl::Status WrongCount(absl::string_view what) const {
    return absl::InternalError(absl::StrCat(call_->method(), ": the server ", what));
  }

  const std::shared_ptr<call::StreamClientCall> call_;
  ResponseDone done_;
  std::optional<RawMessage> response_;
};

}  // namespace

ClientStream::~ClientStream() {
  loop_.Post([call = std::move(call_)] { call->Cancel(Cancelled(*call)); });
}

void ClientStream::Read(ReadDone done) {
  loop_.Post([call = call_, done = std::move(done)]() mutable { call->Read(std::move(done)); });
}

void ClientStream::Write(internal::RawMessage message, bool last, WriteDone done) {
  if (observers_ != nullptr) observers_->Sent(message.bytes.size(), message.payload.size());
  loop_.Post([call = call_, message = std::move(message), last, done = std::move(done)]() mutable {
    call->Write(std::move(message), last, std::move(done));
  });
}

void ClientStream::AwaitInitialMetadata(absl::AnyInvocable<void(absl::Status)> done) {
  loop_.Post([call = call_, done = std::move(done)]() mutable { call->AwaitInitialMetadata(std::move(done)); });
}

void ClientStream::WritesDone(WriteDone done) {
  loop_.Post([call = call_, done = std::move(done)]() mutable { call->WritesDone(std::move(done)); });
}

void ClientStream::FinishWithResponse(ResponseDone done) {
  loop_.Post([call = call_, done = std::move(done)]() mutable {
    std::make_shared<OneResponse>(std::move(call), std::move(done))->Await();
  });
}

void ClientStream::Finish(absl::AnyInvocable<void(absl::Status)> done) {
  loop_.Post([call = call_, done = std::move(done)]() mutable { call->AwaitEnd(std::move(done)); });
}

void ClientStream::Reject() {
  loop_.Post([call = call_] { call->Cancel(Cancelled(*call)); });
}

}  // namespace pagewire::client

std::unique_ptr<pagewire::internal::RawClientStream> pagewire::internal::ChannelAccess::BrokenStream(
    absl::Status status) {
  return std::make_unique<client::BrokenStream>(std::move(status));
}
