// OpenSSL's errors in words that help.
#pragma once

#include <string>
#include <string_view>

namespace pagewire::transport {

// What OpenSSL's error queue of this thread says; empties it.
std::string TakeOpensslErrors();

// The same, for a handshake or connection that failed: what happened, and where a setting would help, which. Empties
// the queue.
//   `verify_error`: why the peer's certificate was refused by us; empty if it was not.
//   `first_bytes`: what the peer sent first, to recognise one that does not speak TLS.
std::string DescribeTlsFailure(bool server, std::string_view verify_error, std::string_view first_bytes);

// Why a certificate is refused: OpenSSL's `code` (X509_V_ERR_...), whose certificate it is and what to do.
std::string DescribeVerifyError(bool server, int code, std::string_view certificate, std::string_view wanted_name);

}  // namespace pagewire::transport
