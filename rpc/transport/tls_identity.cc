#include "transport/tls_identity.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

#include "base/string_view.h"

namespace pagewire::transport {
namespace {

std::string TextOf(const ASN1_STRING* string) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)), ASN1_STRING_length(string));
}

struct NamesDeleter {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

void ReadNames(X509& certificate, PeerIdentity& identity) {
  X509_NAME* const subject = X509_get_subject_name(&certificate);
  if (const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0) {
    identity.common_name = TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  }
  const std::unique_ptr<GENERAL_NAMES, NamesDeleter> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < (names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get())); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) identity.dns_names.push_back(TextOf(name->d.dNSName));
    if (name->type == GEN_URI) identity.uris.push_back(TextOf(name->d.uniformResourceIdentifier));
  }
}

}  // namespace

PeerIdentity TlsIdentityOf(const SSL& ssl) {
  PeerIdentity identity;
  identity.encrypted = true;
  X509* const certificate = SSL_get0_peer_certificate(&ssl);
  if (certificate == nullptr) return identity;
  ReadNames(*certificate, identity);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1) {
    identity.certificate_fingerprint =
        absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
  }
  return identity;
}

std::string DescribeCertificate(X509& certificate) {
  PeerIdentity identity;
  ReadNames(certificate, identity);
  std::string text = absl::StrCat("CN=", absl::CHexEscape(identity.common_name));
  for (std::vector<std::string>* names : {&identity.dns_names, &identity.uris}) {
    for (const std::string& name : *names) absl::StrAppend(&text, ", ", absl::CHexEscape(name));
  }
  return text;
}

}  // namespace pagewire::transport
