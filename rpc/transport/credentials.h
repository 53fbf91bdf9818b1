// What credentials hold.
#pragma once

#include <pagewire/credentials.h>

#include <memory>
#include <string>

#include "transport/tls_context.h"

namespace pagewire::internal {

struct CredentialsAccess {
  // Null: plain.
  template <typename Credentials>
  static std::shared_ptr<transport::TlsContext>& Tls(Credentials& credentials) {
    return credentials.tls_;
  }

  // Empty: the one in the target.
  static std::string& ServerName(ChannelCredentials& credentials) { return credentials.server_name_; }
};

}  // namespace pagewire::internal
