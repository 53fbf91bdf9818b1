#include <pagewire/credentials.h>

namespace pagewire {

std::shared_ptr<ServerCredentials> InsecureServerCredentials() { return std::make_shared<ServerCredentials>(); }

}  // namespace pagewire
