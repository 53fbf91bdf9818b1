#include "etcd/entries.h"

#include <pagewire/log.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "etcd/service_key.h"
#include "transport/address.h"

namespace pagewire::etcd {

Entries::Entries(std::string_view service) : service_(service), prefix_(ServicePrefix(service)) {}

void Entries::Replace(const RangeResponse& all) {
  addresses_.clear();
  for (const KeyValue& entry : all.kvs()) Add(entry);
}

void Entries::Apply(const WatchResponse& changes) {
  for (const Event& event : changes.events()) {
    if (event.type() == Event::PUT) {
      Add(event.kv());
    } else if (event.kv().key().size() >= prefix_.size()) {
      addresses_.erase(event.kv().key().substr(prefix_.size()));
    }
  }
}

void Entries::Add(const KeyValue& entry) {
  if (entry.key().compare(0, prefix_.size(), prefix_) == 0) {
    std::string address = entry.key().substr(prefix_.size());
    const auto parsed = transport::ParseTarget(address);
    if (parsed.ok() && parsed->addresses.size() == 1 && parsed->addresses.front().ToString() == address) {
      addresses_.insert(std::move(address));
      return;
    }
  }
  Log(LogSeverity::kWarning, absl::StrCat("etcd's key \"", absl::CHexEscape(entry.key()),
                                          "\" is ignored: expected an address after \"", prefix_, "\""));
}

}  // namespace pagewire::etcd
