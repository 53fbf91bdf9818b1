// Credentials for the tests of calls: plain, or TLS where the environment says PAGEWIRE_TEST_TLS=1, so that the same
// tests run over both.
#pragma once

#include <pagewire/credentials.h>

#include <memory>

namespace pagewire::testing {

bool TestsUseTls();

// Fit each other, for servers on this host.
std::shared_ptr<ChannelCredentials> TestChannelCredentials();
std::shared_ptr<ServerCredentials> TestServerCredentials();

}  // namespace pagewire::testing
