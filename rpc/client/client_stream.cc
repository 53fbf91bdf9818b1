#include "client/client_stream.h"

#include <pagewire/executor.h>
#include <pagewire/internal/channel_access.h>

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/status.h"

namespace pagewire::client {
namespace {

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
  void Finish(absl::AnyInvocable<void(absl::Status)> done) override { Answer(std::move(done)); }
  void Cancel() override {}

 private:
  template <typename Done>
  void Answer(Done done) const {
    DefaultExecutor().Run([status = base::CloneStatus(status_), done = std::move(done)]() mutable {
      std::move(done)(std::move(status));
    });
  }

  const absl::Status status_;
};

}  // namespace

ClientStream::~ClientStream() {
  loop_.Post([call = std::move(call_)] { call->Cancel(Cancelled(*call)); });
}

void ClientStream::Read(ReadDone done) {
  loop_.Post([call = call_, done = std::move(done)]() mutable { call->Read(std::move(done)); });
}

void ClientStream::Write(internal::RawMessage message, bool last, WriteDone done) {
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

void ClientStream::Finish(absl::AnyInvocable<void(absl::Status)> done) {
  loop_.Post([call = call_, done = std::move(done)]() mutable { call->AwaitEnd(std::move(done)); });
}

void ClientStream::Cancel() {
  loop_.Post([call = call_] { call->Cancel(Cancelled(*call)); });
}

}  // namespace pagewire::client

std::unique_ptr<pagewire::internal::RawClientStream> pagewire::internal::ChannelAccess::BrokenStream(
    absl::Status status) {
  return std::make_unique<client::BrokenStream>(std::move(status));
}
