// Makes certificates for tests.
#pragma once

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace pagewire::testing {

struct Subject {
  std::string common_name;
  std::vector<std::string> names = {};  // subjectAltName, in OpenSSL's notation: "DNS:a", "IP:127.0.0.1", "URI:x"
  absl::Time from = absl::Now() - absl::Hours(24);
  absl::Time until = absl::Now() + absl::Hours(24);
};

// Files in the test's temporary directory.
struct CertificateFiles {
  std::string certificate;  // then those of intermediate authorities
  std::string private_key;
};

struct X509Deleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

class Authority {
 public:
  // Self-signed, or signed by `parent`, which outlives it.
  explicit Authority(std::string name, Authority* parent = nullptr);

  CertificateFiles Issue(const Subject& subject);

  // From the next list on.
  void Revoke(const CertificateFiles& certificate);
  void Revoke(const Authority& authority);

  std::string pem() const;                // its own certificate
  std::string RevocationListPem() const;  // of those it has issued

 private:
  struct Signed {
    std::unique_ptr<X509, X509Deleter> certificate;
    std::unique_ptr<EVP_PKEY, X509Deleter> key;
  };
  Signed Sign(const Subject& subject, bool authority, const Authority* issuer);
  std::string Chain() const;
  void RevokeSerial(const X509& certificate);

  const std::string name_;
  Authority* const parent_;
  Signed own_;
  std::vector<std::string> revoked_;  // serial numbers, DER
};

// Writes a file into the test's temporary directory under a name that is new, or over `path`; its path.
std::string WriteFile(const std::string& content);
void ReplaceFile(const std::string& path, const std::string& content);
std::string ReadFile(const std::string& path);

}  // namespace pagewire::testing
