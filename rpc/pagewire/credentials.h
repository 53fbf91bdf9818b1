// How a connection is secured. Only plain connections exist in this version.
#pragma once

#include <memory>

namespace pagewire {

class ChannelCredentials {
 public:
  virtual ~ChannelCredentials() = default;
};

class ServerCredentials {
 public:
  virtual ~ServerCredentials() = default;
};

// Plain TCP: no encryption, no identity. Use it on networks you trust.
std::shared_ptr<ChannelCredentials> InsecureChannelCredentials();
std::shared_ptr<ServerCredentials> InsecureServerCredentials();

}  // namespace pagewire
