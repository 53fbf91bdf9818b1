#include "etcd/json.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/util/json_util.h>

#include "base/string_view.h"

namespace pagewire::etcd {

std::string ToJson(const google::protobuf::Message& message) {
  std::string json;
  // Fails for Any and timestamps out of range only; there are none.
  (void)google::protobuf::util::MessageToJsonString(message, &json);
  return json;
}

absl::Status ParseJson(std::string_view json, google::protobuf::Message* message) {
  constexpr size_t kShown = 80;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), static_cast<ptrdiff_t>(json.size())), message, options);
  if (parsed.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not what etcd answers: \"", absl::CHexEscape(base::ToAbsl(json.substr(0, kShown))), "\""));
}

}  // namespace pagewire::etcd
