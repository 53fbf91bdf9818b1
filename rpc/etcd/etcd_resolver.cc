#include "etcd/etcd_resolver.h"

#include <pagewire/etcd.h>
#include <pagewire/log.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/string_view.h"
#include "client/backoff.h"
#include "client/resolution_gate.h"
#include "etcd/entries.h"
#include "etcd/etcd_call.h"
#include "etcd/service_key.h"
#include "etcd/watch.h"

namespace pagewire {
namespace etcd {
namespace {

// Between attempts to reach etcd. The first is short: members of a cluster are restarted in turn, and another is there
// at once. The longest is what nobody should have to wait after an outage.
constexpr absl::Duration kFirstDelay = absl::Milliseconds(200);
constexpr absl::Duration kLongestDelay = absl::Seconds(10);

}  // namespace

absl::StatusOr<std::string> ParseEtcdTarget(std::string_view target) {
  std::string_view service = target.substr(std::min(target.find(':'), target.size() - 1) + 1);
  const bool has_authority = service.substr(0, 2) == "//" && service.substr(0, 3) != "///";
  if (service.substr(0, 3) == "///") service.remove_prefix(3);
  if (!has_authority && IsServiceName(service)) return std::string(service);
  return absl::InvalidArgumentError(absl::StrCat("\"", absl::CHexEscape(base::ToAbsl(target)),
                                                 "\" is not a target: expected \"etcd:///service\", where the service "
                                                 "has no '/'; EtcdOptions say where etcd is"));
}

// Either a range is read, or a watch is open, or a timer waits to begin anew.
class EtcdResolver::OnLoop {
 public:
  OnLoop(CurlLoop& loop, const EtcdOptions& options, const std::string& service, ResolutionCallback callback)
      : loop_(loop),
        gate_(std::move(callback)),
        endpoints_(options),
        entries_(service),
        backoff_(kFirstDelay, kLongestDelay, client::RandomFractions()) {}

  ~OnLoop() { loop_.CancelTimer(retry_timer_); }

  client::ResolutionGate& gate() { return gate_; }

  void Read() {
    retry_timer_ = 0;
    watch_.reset();
    RangeRequest request;
    request.set_key(entries_.prefix());
    request.set_range_end(EndOfPrefix(entries_.prefix()));
    range_.emplace(loop_, endpoints_, "/v3/kv/range", request, endpoints_.options().timeout,
                   [this](absl::StatusOr<std::string> answer) { OnRead(answer); });
  }

 private:
  void OnRead(const absl::StatusOr<std::string>& answer) {
    auto all = answer.ok() ? ReadReply<RangeResponse>(endpoints_, *answer) : answer.status();
    range_.reset();
    if (!all.ok()) return OnLost(all.status());
    entries_.Replace(*all);
    Tell();
    watching_since_ = loop_.Now();
    watch_.emplace(
        loop_, endpoints_, entries_.prefix(), EndOfPrefix(entries_.prefix()), all->header().revision() + 1,
        [this](const WatchResponse& response) { OnChange(response); },
        [this](const absl::Status& why) { OnLost(why); });
  }

  void OnChange(const WatchResponse& response) {
    entries_.Apply(response);
    Tell();
  }

  void Tell() {
    known_ = true;
    if (!entries_.empty()) {
      told_empty_ = false;
      return gate_.Tell(entries_.ToResolution());
    }
    if (std::exchange(told_empty_, true)) return;
    gate_.Tell(absl::UnavailableError(absl::StrCat("no server is registered for \"", entries_.service(), "\"")));
  }

  void OnLost(const absl::Status& why) {
    // A watch that something ends again and again must not make us hurry.
    if (loop_.Now() - watching_since_ > kLongestDelay) backoff_.Reset();
    watching_since_ = absl::InfiniteFuture();
    const absl::Duration delay = backoff_.Next();
    const std::string message =
        absl::StrCat("the servers of \"", entries_.service(), "\" cannot be followed: ", why.message());
    if (known_) {
      Log(LogSeverity::kWarning, absl::StrCat(message, "; what is known stays in use, next attempt in ",
                                              absl::FormatDuration(absl::Trunc(delay, absl::Milliseconds(1)))));
    } else {
      gate_.Tell(absl::UnavailableError(message));
    }
    endpoints_.UseNext();
    retry_timer_ = loop_.RunAfter(delay, [this] { Read(); });
  }

  CurlLoop& loop_;
  client::ResolutionGate gate_;
  Endpoints endpoints_;
  Entries entries_;
  client::Backoff backoff_;
  bool known_ = false;       // etcd has answered, ever
  bool told_empty_ = false;  // the user's last answer is that there is no server
  absl::Time watching_since_ = absl::InfiniteFuture();
  transport::Loop::TimerId retry_timer_ = 0;
  std::optional<EtcdCall> range_;
  std::optional<Watch> watch_;
};

EtcdResolver::EtcdResolver(std::shared_ptr<CurlLoop> loop, const EtcdOptions& options, const std::string& service,
                           ResolutionCallback callback)
    : loop_(std::move(loop)), on_loop_(std::make_shared<OnLoop>(*loop_, options, service, std::move(callback))) {
  loop_->Post([on_loop = on_loop_] { on_loop->Read(); });
}

EtcdResolver::~EtcdResolver() {
  on_loop_->gate().Close();
  loop_->Post([on_loop = std::move(on_loop_)]() mutable { on_loop.reset(); });
}

}  // namespace etcd

absl::Status RegisterEtcdResolver(EtcdOptions options) {
  absl::Status checked = etcd::CheckOptions(options);
  if (!checked.ok()) return checked;
  return RegisterResolver(
      "etcd",
      [options = std::move(options)](std::string_view target,
                                     ResolutionCallback callback) -> absl::StatusOr<std::unique_ptr<Resolver>> {
        const auto service = etcd::ParseEtcdTarget(target);
        if (!service.ok()) return service.status();
        auto loop = etcd::CurlLoop::Shared();
        if (!loop.ok()) return loop.status();
        return std::make_unique<etcd::EtcdResolver>(*std::move(loop), options, *service, std::move(callback));
      });
}

}  // namespace pagewire
