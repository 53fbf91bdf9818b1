// What this process has learned about the paths to one host.
#pragma once

#include <pagewire/transfer_report.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "transport/path_chooser.h"

namespace pagewire::transport {

// One chooser for each class of payload sizes. It serves all connections to the host, of clients and servers of this
// process, so that short ones learn, too. About what we send: what the host sends to us it chooses itself. Thread-safe.
class PeerPaths {
 public:
  // Smaller payloads are copied and not measured: what a path without a copy saves is less than what it costs to set
  // up. 64 KiB: where mapping begins to be cheaper than copying into pooled memory (docs/architecture.md, "Costs").
  static constexpr uint64_t kFromBytes = 64 << 10;

  // Of a host, as in "ipv4:127.0.0.1"; made if it is not known. 1,024 hosts are remembered (a few hundred bytes each);
  // beyond, the one that was asked for longest ago is forgotten.
  static std::shared_ptr<PeerPaths> Of(std::string_view host);

  struct Choice {
    PathPair pair;
    PathChooser::Group group = 0;
    PathEvidence evidence;
  };

  // For the next payload, of kFromBytes or more.
  Choice Choose(uint64_t payload_bytes, const PathPrior& prior);

  // See PathChooser; sample.bytes is the size that Choose was told.
  void OnSample(PathChooser::Group group, const PathChooser::Sample& sample);

 private:
  // Each class is four times as large as the one before; the last has no end: 64 KiB, 256 KiB, 1 MiB, 4 MiB, 16 MiB.
  static constexpr int kClasses = 5;
  static int ClassOf(uint64_t bytes);

  base::Mutex mutex_;
  std::array<PathChooser, kClasses> choosers_ ABSL_GUARDED_BY(mutex_);
};

// A peer's text without its port: what PeerPaths::Of takes.
std::string_view HostOf(std::string_view peer);

}  // namespace pagewire::transport
