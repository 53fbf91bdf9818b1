#include "wire/preface_decoder.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "wire/foreign_protocol.h"
#include "wire/little_endian.h"

namespace pagewire::wire {

absl::StatusOr<size_t> PrefaceDecoder::Decode(std::string_view bytes) {
  if (!failed_.ok()) return failed_;
  const size_t given = bytes.size();
  while (!done_) {
    const size_t taken = std::min(needed_ - gathered_.size(), bytes.size());
    gathered_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    failed_ = Advance();
    if (!failed_.ok()) return failed_;
    if (bytes.empty()) break;
  }
  return given - bytes.size();
}

// Looks at what has been gathered: asks for the body once the head is whole, and is done once the body is.
absl::Status PrefaceDecoder::Advance() {
  if (gathered_.size() >= kMagic.size() && gathered_.compare(0, kMagic.size(), kMagic) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "preface: the peer ", DescribeForeignProtocol(std::string_view(gathered_).substr(0, kMagic.size()))));
  }
  if (gathered_.size() < needed_) return absl::OkStatus();
  const char* head = gathered_.data();
  const auto body_length = LoadLittleEndian<uint32_t>(head + 12);
  if (needed_ == kPrefaceHeadBytes) {
    preface_.min_version = LoadLittleEndian<uint16_t>(head + 8);
    preface_.max_version = LoadLittleEndian<uint16_t>(head + 10);
    if (preface_.min_version == 0 || preface_.min_version > preface_.max_version) {
      return absl::InvalidArgumentError(absl::StrCat("preface: versions ", preface_.min_version, " to ",
                                                     preface_.max_version, " are no range that begins with 1 or more"));
    }
    if (body_length > kMaxPrefaceBodyBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("preface: body_length ", body_length, " exceeds the limit of ", kMaxPrefaceBodyBytes));
    }
    needed_ += body_length;
    if (gathered_.size() < needed_) return absl::OkStatus();
  }
  if (!preface_.body.ParseFromArray(head + kPrefaceHeadBytes, static_cast<int>(body_length))) {
    return absl::InvalidArgumentError(
        absl::StrCat("preface: the body of ", body_length, " bytes is not a valid message"));
  }
  if (preface_.body.agent().size() > kMaxAgentBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("preface: agent has ", preface_.body.agent().size(), " bytes, the limit is ", kMaxAgentBytes));
  }
  done_ = true;
  gathered_ = std::string();
  return absl::OkStatus();
}

}  // namespace pagewire::wire
