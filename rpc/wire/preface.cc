#include "wire/preface.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "wire/little_endian.h"

namespace pagewire::wire {

Preface MakePreface(std::string_view session_id, uint32_t lane_id, uint64_t features, const Settings& settings,
                    std::string_view agent) {
  Preface preface;
  preface.body.set_session_id(std::string(session_id));
  preface.body.set_lane_id(lane_id);
  preface.body.set_features(features);
  AppendSettings(settings, *preface.body.mutable_settings());
  preface.body.set_agent(std::string(agent.substr(0, kMaxAgentBytes)));
  return preface;
}

void AppendPreface(const Preface& preface, std::string& out) {
  const size_t begin = out.size();
  const std::string body = preface.body.SerializeAsString();
  out.append(kMagic);
  out.resize(begin + kPrefaceHeadBytes);
  StoreLittleEndian(preface.min_version, out.data() + begin + 8);
  StoreLittleEndian(preface.max_version, out.data() + begin + 10);
  StoreLittleEndian(static_cast<uint32_t>(body.size()), out.data() + begin + 12);
  out.append(body);
}

absl::StatusOr<Negotiated> Negotiate(const Preface& own, const Preface& peer, bool initiator) {
  Negotiated negotiated;
  negotiated.version = std::min(own.max_version, peer.max_version);
  // Before anything else: what a preface means beyond its layout is known only to those who share a version.
  if (negotiated.version < own.min_version || negotiated.version < peer.min_version) {
    return absl::FailedPreconditionError(absl::StrCat("preface: no common protocol version: this side speaks ",
                                                      own.min_version, " to ", own.max_version, ", the peer ",
                                                      peer.min_version, " to ", peer.max_version));
  }
  const std::string& id = peer.body.session_id();
  if (initiator && !id.empty() && id != own.body.session_id()) {
    return absl::InvalidArgumentError("preface: session_id is not the one that this side chose");
  }
  if (!initiator && id.size() != kSessionIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("preface: session_id has ", id.size(), " bytes instead of ", kSessionIdBytes));
  }
  if (initiator && peer.body.lane_id() != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("preface: lane_id ", peer.body.lane_id(), " from the accepting side, which sends 0"));
  }
  negotiated.features = own.body.features() & peer.body.features();
  negotiated.peer = AssumedSettings();
  if (absl::Status status = ApplyPrefaceSettings(peer.body.settings(), negotiated.peer); !status.ok()) return status;
  return negotiated;
}

}  // namespace pagewire::wire
