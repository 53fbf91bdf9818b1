#include "fuzz/connection_check.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "call/connections.h"
#include "fuzz/connection_witness.h"
#include "fuzz/payload_bytes.h"
#include "fuzz/program_client.h"
#include "fuzz/program_numbers.h"

namespace pagewire::call {
namespace {

using testing::FakeHandlers;
using testing::RunningHandler;

// Small, so that programs reach them.
constexpr uint64_t kHeldBudget = 400'000;
constexpr uint64_t kMaxMessage = 50'000;
constexpr uint64_t kMaxPayload = 300'000;
constexpr uint32_t kMaxCalls = 6;

constexpr uint64_t kOwnPayload = 77;  // the id whose bytes the server's own payloads have
constexpr uint64_t kReplySizes[] = {1, 4096, 5000, 60'000, 70'000, 300'000};

class Run {
 public:
  explicit Run(std::string_view program) : numbers_(program), client_(numbers_) {
    transport::SessionOptions options = testing::TestOptions(false, kHeldBudget);
    options.limits.max_message_bytes = kMaxMessage;
    options.limits.max_payload_bytes = kMaxPayload;
    options.max_concurrent_calls = kMaxCalls;
    held_ = options.held_budget;
    const uint8_t shape = numbers_.Byte();
    auto [server_stream, client_stream] =
        transport::MakeInProcessPair(loop_, loop_, {.buffer_bytes = size_t{1} << (8 + shape % 12)});
    server_ = std::make_unique<testing::ServerEnd>(loop_, std::move(server_stream), handlers_, std::move(options));
    peer_ = std::make_unique<testing::RawPeer>(loop_, std::move(client_stream), true);
    if (shape < 250) peer_->Greet();
    // SETTINGS of the program's may raise any limit.
    constexpr uint32_t kAny = uint32_t{1} << 31;
    peer_->set_limits({.max_body_length = kAny, .max_data_length = kAny, .max_chunk_length = kAny});
  }

  std::optional<std::string> Execute() {
    while (!numbers_.empty() && !problem_.has_value() && !server_->closed()) Step();
    if (!problem_.has_value()) End();
    return problem_;
  }

 private:
  void Problem(std::string text) {
    if (!problem_.has_value()) problem_ = std::move(text);
  }

  void Step();
  void Send(size_t length);
  void Return();
  void LookAtHandlers();
  void End();

  ProgramNumbers numbers_;
  transport::ManualLoop loop_;
  FakeHandlers handlers_;
  std::shared_ptr<memory::Budget> held_;
  const uint64_t credit_before_ = memory::ConnectionCreditBudget().reserved();
  std::unique_ptr<testing::ServerEnd> server_;
  std::unique_ptr<testing::RawPeer> peer_;
  ProgramClient client_;
  ConnectionWitness witness_;
  std::vector<RunningHandler> running_;
  std::vector<Payload> kept_;  // by handlers that have returned
  std::optional<std::string> problem_;
};

void Run::Step() {
  constexpr int kMilliseconds[] = {0, 1, 10, 1000, 31'000};
  const uint8_t step = numbers_.Byte();
  switch (step % 16) {
    default:
      client_.Step();
      if (step < 176) Send(client_.unsent().size());
      return;
    case 10:
      return Send(std::min<size_t>(client_.unsent().size(), numbers_.Byte() * size_t{100}));
    case 11:
    case 12:
      Return();
      return Send(0);
    case 13:
      loop_.AdvanceTime(absl::Milliseconds(numbers_.Pick(kMilliseconds)));
      return Send(0);
    case 14:
      if (numbers_.Below(2) == 0) {
        peer_->StopReading();
      } else {
        peer_->ReadAgain();
      }
      return Send(0);
    case 15:
      kept_.clear();
      return Send(0);
  }
}

// Sends so much of what the client has to send, lets the server do all it can, and looks at what it did.
void Run::Send(size_t length) {
  peer_->Send(std::string_view(client_.unsent()).substr(0, length));
  client_.unsent().erase(0, length);
  loop_.RunUntilIdle();
  LookAtHandlers();
  for (const transport::testing::ReceivedFrame& frame : peer_->TakeAll()) {
    const auto problem = witness_.Look(frame, client_.last_call(), client_.payload_bytes());
    if (problem.has_value()) Problem(*problem);
    client_.OnFrame(frame);
  }
  if (!peer_->misbehaviour().empty()) Problem(absl::StrCat("the server sent: ", peer_->misbehaviour()));
  if (held_->reserved() > kHeldBudget) Problem("more is reserved than the budget allows");
}

void Run::LookAtHandlers() {
  while (handlers_.running() > 0) {
    running_.push_back(handlers_.Take());
    const RunningHandler& handler = running_.back();
    if (handler.request.size() > kMaxMessage) Problem("a handler was given too long a message");
    if (handler.payload.size() > kMaxPayload) Problem("a handler was given too large a payload");
    if (handler.payload.size() == 0) continue;
    if (!HasRequestPayload(handler.method->payload)) Problem("a handler was given a payload that its method has not");
    witness_.Delivered(handler.payload.size());
    uint64_t id = 0;
    if (!absl::SimpleAtoi(handler.request, &id)) continue;
    if (!IsPayload(handler.payload, id)) Problem(absl::StrCat("payload ", id, " has wrong bytes"));
  }
  if (running_.size() > kMaxCalls) Problem("more handlers run than the limit allows");
}

// One handler returns.
void Run::Return() {
  if (running_.empty()) return;
  const auto it = running_.begin() + static_cast<std::ptrdiff_t>(numbers_.Below(running_.size()));
  RunningHandler handler = std::move(*it);
  running_.erase(it);
  const bool has_payload = HasResponsePayload(handler.method->payload);
  switch (numbers_.Below(4)) {
    case 0:
      return handler.Return(FakeHandlers::Echo(handler));
    case 1:
      kept_.push_back(handler.payload);
      return handler.Return(absl::NotFoundError(std::string(numbers_.Byte() * size_t{400}, 'n')));
    case 2: {
      // The message says what the payload consists of.
      internal::RawMessage reply{absl::StrCat(kOwnPayload), Payload()};
      const uint64_t size = numbers_.Pick(kReplySizes);
      if (has_payload) reply.payload = Payload::FromCord(absl::Cord(PayloadBytes(kOwnPayload, 0, size)));
      return handler.Return(std::move(reply));
    }
    case 3:
      for (int i = 4 * numbers_.Byte(); i > 0; --i) handler.state->AddTrailingMetadata("k", std::string(40, 'v'));
      return handler.Return(internal::RawMessage{std::string(numbers_.Pick(kReplySizes), 'r'), Payload()});
  }
}

void Run::End() {
  peer_->Vanish();
  loop_.RunUntilIdle();
  LookAtHandlers();
  if (!server_->closed()) Problem("the connection outlived its client");
  for (RunningHandler& handler : running_) {
    if (!handler.state->cancelled()) Problem("a handler was not told that its client is gone");
    handler.Return(internal::RawMessage());
  }
  loop_.RunUntilIdle();
  running_.clear();
  kept_.clear();
  server_.reset();
  loop_.RunUntilIdle();
  if (held_->reserved() != 0) Problem(absl::StrCat(held_->reserved(), " bytes stay reserved for payloads"));
  if (memory::ConnectionCreditBudget().reserved() != credit_before_) Problem("credit stays reserved");
}

}  // namespace

std::optional<std::string> CheckConnection(std::string_view program) { return Run(program).Execute(); }

}  // namespace pagewire::call
