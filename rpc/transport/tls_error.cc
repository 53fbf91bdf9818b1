#include "transport/tls_error.h"

#include <absl/strings/str_cat.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/string_view.h"
#include "wire/foreign_protocol.h"
#include "wire/preface.h"

namespace pagewire::transport {
namespace {

using base::ToAbsl;

bool IsTlsRecord(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] >= 0x14 && bytes[0] <= 0x18 && bytes[1] == 3;
}

std::string NotTls(bool server, std::string_view first_bytes) {
  if (first_bytes.substr(0, wire::kMagic.size()) == wire::kMagic.substr(0, first_bytes.size())) {
    return server ? "the client speaks Pagewire without TLS; this port wants TLS: use TlsChannelCredentials"
                  : "the server speaks Pagewire without TLS: use InsecureChannelCredentials, or its TLS port";
  }
  if (first_bytes.size() < 8) return "the peer does not speak TLS";
  return absl::StrCat("the peer ", wire::DescribeForeignProtocol(first_bytes.substr(0, 8)), "; this side expects TLS");
}

// What an alert means to this side. Names are those of RFC 8446, section 6.
std::string DescribeAlert(bool server, int alert) {
  const std::string name = absl::StrCat(SSL_alert_desc_string_long(alert), " (TLS alert ", alert, ")");
  const char* const own = server ? "the server's" : "the client's";
  switch (alert) {
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return absl::StrCat("the server wants a certificate of the client and got none (TLS alert ", alert,
                          "); set TlsChannelOptions::certificate_file");
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
      return absl::StrCat("the peer refused ", own, " certificate: ", name);
    case SSL_AD_PROTOCOL_VERSION:
      return absl::StrCat("the peer does not speak TLS 1.3: ", name);
    case TLS1_AD_NO_APPLICATION_PROTOCOL:
      return absl::StrCat("the peer does not speak pagewire/1 over TLS (ALPN): ", name);
    default:
      return absl::StrCat("the peer ended the connection: ", name);
  }
}

}  // namespace

std::string TakeOpensslErrors() {
  std::string text;
  while (const unsigned long error = ERR_get_error()) {
    const char* const reason = ERR_reason_error_string(error);
    absl::StrAppend(&text, text.empty() ? "" : "; ",
                    ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
                    : reason != nullptr     ? reason
                                            : "unknown");
  }
  return text.empty() ? "OpenSSL gave no reason" : text;
}

std::string DescribeTlsFailure(bool server, std::string_view verify_error, std::string_view first_bytes) {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  std::string text;
  if (!verify_error.empty()) {
    text = std::string(verify_error);
  } else if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    text = DescribeAlert(server, reason - SSL_AD_REASON_OFFSET);
  } else if (!first_bytes.empty() && !IsTlsRecord(first_bytes)) {
    text = NotTls(server, first_bytes);
  } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    text = "the client showed no certificate, and this port wants one (mutual TLS)";
  } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_VERSION_TOO_LOW) {
    text = "the peer does not speak TLS 1.3";
  } else if (reason == SSL_R_NO_APPLICATION_PROTOCOL) {
    text = "the client does not offer pagewire/1 (ALPN); does it speak another protocol over TLS?";
  } else {
    text = TakeOpensslErrors();
  }
  ERR_clear_error();
  return absl::StrCat("TLS: ", text);
}

std::string DescribeVerifyError(bool server, int code, std::string_view certificate, std::string_view wanted_name) {
  std::string text = absl::StrCat(server ? "the client's" : "the server's", " certificate (", ToAbsl(certificate),
                                  ") is refused: ", X509_verify_cert_error_string(code));
  switch (code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      absl::StrAppend(&text, server ? "; it is for none of TlsServerOptions::client_names"
                                    : absl::StrCat("; it is not for \"", ToAbsl(wanted_name),
                                                   "\": connect by a name it has, or set "
                                                   "TlsChannelOptions::server_name"));
      break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      absl::StrAppend(&text, "; its issuer is not in ",
                      server ? "TlsServerOptions::client_ca_file" : "TlsChannelOptions::ca_file");
      break;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      absl::StrAppend(&text, "; crl_file needs a list of each authority in the chain");
      break;
    default:
      break;
  }
  return text;
}

}  // namespace pagewire::transport
