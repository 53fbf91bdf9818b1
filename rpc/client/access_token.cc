#include <absl/strings/str_cat.h>
#include <pagewire/call_credentials.h>

#include <algorithm>
#include <utility>

namespace pagewire {
namespace {

class AccessToken final : public CallCredentials {
 public:
  explicit AccessToken(std::string token) : token_(std::move(token)) {}

  absl::StatusOr<Metadata> GetMetadata(const CallCredentialsRequest&) override {
    if (token_.empty()) return absl::UnauthenticatedError("the access token is empty");
    if (!std::all_of(token_.begin(), token_.end(), [](char c) { return c > 0x20 && c < 0x7f; })) {
      return absl::UnauthenticatedError(
          absl::StrCat("the access token, ", token_.size(),
                       " bytes, has characters other than printable ASCII without blanks; is there the end of a line "
                       "from the file that it was read from?"));
    }
    return Metadata{{"authorization", "Bearer " + token_}};
  }

 private:
  const std::string token_;
};

}  // namespace

std::shared_ptr<CallCredentials> AccessTokenCallCredentials(std::string token) {
  return std::make_shared<AccessToken>(std::move(token));
}

}  // namespace pagewire
