#include "client/call_starter.h"

#include <absl/time/clock.h>
#include <pagewire/internal/block_pool.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/status.h"
#include "base/string_view.h"
#include "client/backoff.h"
#include "client/retry.h"

namespace pagewire::client {

using internal::ClientCallState;

namespace {

uint64_t Bytes(const UnaryRequest& request) { return request.message.size() + request.payload.size(); }

}  // namespace

uint64_t CallStarter::MaxMetadataBytes(const Method& method) const {
  const call::MethodTerms* own = terms_->method_terms->Find(method.name);
  return own != nullptr ? own->max_metadata_bytes : terms_->options.max_metadata_bytes;
}

void CallStarter::Configure(const Method& method, ClientCallState& state) const {
  const std::shared_ptr<const ServiceConfig> config = peers_->config();
  const MethodConfig* const own = config->Find(method.name);
  if (own == nullptr) return;
  if (own->timeout.has_value()) state.deadline = std::min(state.deadline, absl::Now() + *own->timeout);
  if (own->wait_for_ready.has_value() && !state.wait_for_ready_set) state.wait_for_ready = *own->wait_for_ready;
}

PeerSet::Choice CallStarter::Place(const Method& method, uint64_t bytes, const PeerSet::Peer* avoid) const {
  return peers_->ForCall({method.payload != PayloadDirection::kNone, bytes, avoid});
}

call::CallTerms CallStarter::Terms(const Method& method, const ClientCallState& state,
                                   std::shared_ptr<call::CallObservers> observers, call::Place lane) const {
  call::CallTerms terms;
  terms.observers = std::move(observers);
  terms.lane = std::move(lane);
  terms.method = base::ToAbsl(method.name);
  terms.deadline = state.deadline;
  terms.metadata = state.metadata;
  terms.takes_response_payload = HasResponsePayload(method.payload);
  terms.piecewise = method.piecewise;
  terms.method_terms = terms_->method_terms;
  terms.own = terms.method_terms->Find(method.name);
  terms.max_metadata_bytes = MaxMetadataBytes(method);
  return terms;
}

void CallStarter::Post(std::shared_ptr<Lane> lane, const std::shared_ptr<ClientCallState>& state,
                       std::shared_ptr<call::ClientCall> call) {
  transport::Loop& loop = lane->loop();
  std::weak_ptr<call::Cancellable> started = call;
  auto start =
      internal::Box([lane = std::move(lane), call = std::move(call), wait_for_ready = state->wait_for_ready]() mutable {
        lane->Start(std::move(call), wait_for_ready);
      });
  // First, so that a call that was cancelled already ends before it is started. From here on it may be over at any
  // moment, and with it this channel.
  state->CancelHere(std::move(started));
  loop.Post(std::move(start));
}

void CallStarter::Start(LaneSet::Choice in, UnaryRequest request, const AttemptNumber& attempt,
                        call::UnaryClientCall::Done done) const {
  call::CallTerms terms = Terms(request.method, *request.state, std::move(request.observers), std::move(in.place));
  terms.payload_events = std::move(request.state->payload_events);
  terms.attempt = attempt.number;
  terms.began = attempt.began;
  auto call = internal::MakeShared<call::UnaryClientCall>(
      in.lane->loop(), call::UnaryRequest{std::move(terms), std::move(request.message), std::move(request.payload)},
      std::move(done));
  Post(std::move(in.lane), request.state, std::move(call));
}

// One after the other, until one ends the call. Between two of them it waits on the loop of the first.
class CallStarter::Attempts final : public call::Cancellable, public std::enable_shared_from_this<Attempts> {
 public:
  Attempts(std::shared_ptr<const CallStarter> starter, std::shared_ptr<const ServiceConfig> config,
           UnaryRequest request, call::UnaryClientCall::Done done)
      : starter_(std::move(starter)),
        config_(std::move(config)),
        request_(std::move(request)),
        done_(std::move(done)),
        retry_(PolicyOf(*config_, request_.method), config_->throttle().get(), request_.method.idempotent,
               RandomFractions()) {}

  void Next() {
    PeerSet::Choice choice = starter_->Place(request_.method, Bytes(request_), last_.get());
    last_ = std::move(choice.peer);
    ++attempt_.number;
    starter_->Start(std::move(choice.in), request_, attempt_,
                    [self = shared_from_this()](call::UnaryResult result) { self->OnDone(std::move(result)); });
  }

  // Between two attempts; under the starter's lock.
  void Describe(call::CallView& view) const {
    view.client = true;
    view.method = std::string(request_.method.name);
    view.phase = call::CallView::Phase::kWaitingToRetry;
    view.deadline = request_.state->deadline;
    view.began = attempt_.began;
    view.attempt = attempt_.number;
    view.place.call = number_;
  }
  uint64_t number() const { return number_; }
  void set_number(uint64_t number) { number_ = number; }

  // While it waits.
  void RequestCancel(std::shared_ptr<call::Cancellable> self) override {
    loop_.load()->Post([this, self = std::move(self), wait = waiting_.load()] {
      End(wait, absl::CancelledError("cancelled by the client"));
    });
  }

  // The channel is gone.
  void EndWait() { End(waiting_.load(), absl::CancelledError("the channel was destroyed")); }

  static const RetryPolicy* PolicyOf(const ServiceConfig& config, const Method& method) {
    const MethodConfig* const own = config.Find(method.name);
    return own == nullptr || !own->retry.has_value() ? nullptr : &*own->retry;
  }

 private:
  void OnDone(call::UnaryResult result) {
    if (result.outcome.status.ok()) {
      retry_.OnSuccess();
      return Finish(std::move(result));
    }
    if (request_.state->cancelled()) return Finish(std::move(result));
    Failure failure;
    failure.code = result.outcome.status.code();
    failure.not_started = result.outcome.not_started;
    failure.others_ready = starter_->peers_->OthersReady(last_.get());
    failure.left = request_.state->deadline - absl::Now();
    const std::optional<absl::Duration> delay = retry_.OnFailure(failure);
    if (!delay.has_value()) return Finish(std::move(result));
    Wait(*delay);
  }

  // Three may end a wait, each on a thread of its own: its time, a cancellation, the channel's end. The first one does.
  void Wait(absl::Duration delay) {
    const uint64_t wait = ++waits_;
    waiting_.store(wait);
    loop_.store(transport::Loop::Current());
    loop_.load()->RunAfter(delay, [self = shared_from_this(), wait] {
      if (self->Claim(wait)) self->Next();
    });
    if (!starter_->AddWaiting(shared_from_this())) return End(wait, absl::CancelledError("the channel was destroyed"));
    request_.state->CancelHere(weak_from_this());
  }

  bool Claim(uint64_t wait) {
    if (wait == 0 || !waiting_.compare_exchange_strong(wait, 0)) return false;
    starter_->RemoveWaiting(*this);
    return true;
  }

  void End(uint64_t wait, absl::Status status) {
    if (!Claim(wait)) return;
    call::UnaryResult result;
    result.outcome.status = std::move(status);
    result.outcome.not_started = false;
    Finish(std::move(result));
  }

  void Finish(call::UnaryResult result) {
    request_.payload = Payload();
    std::exchange(done_, nullptr)(std::move(result));
  }

  const std::shared_ptr<const CallStarter> starter_;
  const std::shared_ptr<const ServiceConfig> config_;
  UnaryRequest request_;
  call::UnaryClientCall::Done done_;
  RetryState retry_;
  std::shared_ptr<PeerSet::Peer> last_;  // that was asked
  AttemptNumber attempt_{.number = 0};
  uint64_t number_ = 0;  // of the wait, among those of the channel
  uint64_t waits_ = 0;
  std::atomic<uint64_t> waiting_ = 0;             // which wait has not ended; 0: none
  std::atomic<transport::Loop*> loop_ = nullptr;  // on which it waits, or did
};

bool CallStarter::AddWaiting(std::shared_ptr<Attempts> attempts) const {
  base::MutexLock lock(mutex_);
  if (shut_down_) return false;
  if (!listing_.has_value()) listing_.emplace(nullptr, weak_from_this());
  attempts->set_number(++last_waiting_);
  waiting_.emplace_hint(waiting_.end(), last_waiting_, std::move(attempts));
  return true;
}

void CallStarter::RemoveWaiting(const Attempts& attempts) const {
  std::shared_ptr<Attempts> last;  // destroyed outside the lock
  base::MutexLock lock(mutex_);
  if (const auto it = waiting_.find(attempts.number()); it != waiting_.end()) {
    last = std::move(it->second);
    waiting_.erase(it);
  }
}

void CallStarter::DescribeCalls(uint64_t after, absl::Time until, size_t limit,
                                std::vector<call::CallView>& calls) const {
  base::MutexLock lock(mutex_);
  const size_t before = calls.size();
  for (auto it = waiting_.upper_bound(after); it != waiting_.end() && calls.size() - before < limit; ++it) {
    call::CallView view;
    it->second->Describe(view);
    if (view.began <= until) calls.push_back(std::move(view));
  }
}

void CallStarter::Shutdown() {
  std::map<uint64_t, std::shared_ptr<Attempts>> waiting;
  {
    base::MutexLock lock(mutex_);
    shut_down_ = true;
    waiting = waiting_;
  }
  peers_->Shutdown();
  for (const auto& [number, attempts] : waiting) attempts->EndWait();
}

bool CallStarter::MayRetry(const UnaryRequest& request, const ServiceConfig& config) const {
  // Whoever asks what became of a payload means one payload.
  const transport::PayloadEvents& events = request.state->payload_events;
  if (events.received || events.released) return false;
  return peers_->balances() || Attempts::PolicyOf(config, request.method) != nullptr;
}

void CallStarter::StartUnary(UnaryRequest request, call::UnaryClientCall::Done done) {
  std::shared_ptr<const ServiceConfig> config = peers_->config();
  if (!MayRetry(request, *config)) {
    PeerSet::Choice choice = Place(request.method, Bytes(request));
    return Start(std::move(choice.in), std::move(request), AttemptNumber(), std::move(done));
  }
  std::make_shared<Attempts>(shared_from_this(), std::move(config), std::move(request), std::move(done))->Next();
}

}  // namespace pagewire::client
