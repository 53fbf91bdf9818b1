#include <pagewire/credentials.h>

namespace pagewire {

std::shared_ptr<ChannelCredentials> InsecureChannelCredentials() { return std::make_shared<ChannelCredentials>(); }

}  // namespace pagewire
