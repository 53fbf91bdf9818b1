#include "transport/peer_paths.h"

#include <list>
#include <unordered_map>
#include <utility>

namespace pagewire::transport {
namespace {

constexpr size_t kMostHosts = 1024;

class Hosts {
 public:
  std::shared_ptr<PeerPaths> Of(std::string_view host) {
    base::MutexLock lock(mutex_);
    const auto it = by_host_.find(std::string(host));
    if (it != by_host_.end()) {
      recent_.splice(recent_.begin(), recent_, it->second);
      return it->second->second;
    }
    if (recent_.size() == kMostHosts) {
      by_host_.erase(recent_.back().first);
      recent_.pop_back();
    }
    recent_.emplace_front(std::string(host), std::make_shared<PeerPaths>());
    by_host_.emplace(recent_.front().first, recent_.begin());
    return recent_.front().second;
  }

 private:
  using Recent = std::list<std::pair<std::string, std::shared_ptr<PeerPaths>>>;
  base::Mutex mutex_;
  Recent recent_ ABSL_GUARDED_BY(mutex_);  // asked for last: first
  std::unordered_map<std::string, Recent::iterator> by_host_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<PeerPaths> PeerPaths::Of(std::string_view host) {
  static auto* const hosts = new Hosts;
  return hosts->Of(host);
}

int PeerPaths::ClassOf(uint64_t bytes) {
  int size_class = 0;
  for (uint64_t end = 4 * kFromBytes; bytes >= end && size_class < kClasses - 1; end *= 4) ++size_class;
  return size_class;
}

PeerPaths::Choice PeerPaths::Choose(uint64_t payload_bytes, const PathPrior& prior) {
  base::MutexLock lock(mutex_);
  PathChooser& chooser = choosers_[ClassOf(payload_bytes)];
  const PathChooser::Choice choice = chooser.Choose(prior);
  return {choice.pair, choice.group, chooser.evidence()};
}

void PeerPaths::OnSample(PathChooser::Group group, const PathChooser::Sample& sample) {
  base::MutexLock lock(mutex_);
  choosers_[ClassOf(sample.bytes)].OnSample(group, sample);
}

std::string_view HostOf(std::string_view peer) {
  const size_t port = peer.rfind(':');
  return port == std::string_view::npos ? peer : peer.substr(0, port);
}

}  // namespace pagewire::transport
