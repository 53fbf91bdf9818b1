#include "tls/certificates.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

namespace pagewire::testing {
namespace {

template <typename Write>
std::string Pem(Write write) {
  BIO* const bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(write(bio), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, size);
  BIO_free(bio);
  return text;
}

std::string PemOf(X509* certificate) {
  return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

long NextSerial() {
  static std::atomic<long> last = 0;
  return ++last;
}

}  // namespace

Authority::Authority(std::string name, Authority* parent)
    : name_(std::move(name)),
      parent_(parent),
      own_(Sign(Subject{.common_name = name_}, /*authority=*/true, parent == nullptr ? this : parent)) {}

Authority::Signed Authority::Sign(const Subject& subject, bool authority, const Authority* issuer) {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);  // as TlsContext does; loops run until the process is gone
  Signed made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* const certificate = made.certificate.get();
  const bool self = authority && issuer == this;
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), NextSerial());
  X509_time_adj_ex(X509_getm_notBefore(certificate), 0, absl::ToInt64Seconds(subject.from - absl::Now()), nullptr);
  X509_time_adj_ex(X509_getm_notAfter(certificate), 0, absl::ToInt64Seconds(subject.until - absl::Now()), nullptr);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(subject.common_name.data()),
                             static_cast<int>(subject.common_name.size()), -1, 0);
  X509* const issuer_certificate = self ? certificate : issuer->own_.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer_certificate));
  AddExtension(certificate, issuer_certificate, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
  AddExtension(certificate, issuer_certificate, NID_subject_key_identifier, "hash");
  if (authority) AddExtension(certificate, issuer_certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!subject.names.empty()) {
    AddExtension(certificate, issuer_certificate, NID_subject_alt_name, absl::StrJoin(subject.names, ","));
  }
  EXPECT_GT(X509_sign(certificate, self ? made.key.get() : issuer->own_.key.get(), EVP_sha256()), 0);
  return made;
}

std::string Authority::pem() const { return PemOf(own_.certificate.get()); }

std::string Authority::Chain() const { return parent_ == nullptr ? "" : pem() + parent_->Chain(); }

CertificateFiles Authority::Issue(const Subject& subject) {
  const Signed made = Sign(subject, /*authority=*/false, this);
  const std::string key = Pem(
      [&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return {WriteFile(PemOf(made.certificate.get()) + Chain()), WriteFile(key)};
}

void Authority::RevokeSerial(const X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(&certificate), &der);
  revoked_.emplace_back(reinterpret_cast<char*>(der), size);
  OPENSSL_free(der);
}

void Authority::Revoke(const Authority& authority) { RevokeSerial(*authority.own_.certificate); }

void Authority::Revoke(const CertificateFiles& certificate) {
  const std::string pem = ReadFile(certificate.certificate);
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  const std::unique_ptr<X509, X509Deleter> read(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  RevokeSerial(*read);
}

std::string Authority::RevocationListPem() const {
  X509_CRL* const list = X509_CRL_new();
  X509_CRL_set_version(list, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(own_.certificate.get()));
  ASN1_TIME* const now = X509_time_adj_ex(nullptr, -1, 0, nullptr);
  ASN1_TIME* const next = X509_time_adj_ex(nullptr, 1, 0, nullptr);
  X509_CRL_set1_lastUpdate(list, now);
  X509_CRL_set1_nextUpdate(list, next);
  for (const std::string& der : revoked_) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ASN1_INTEGER* const serial = d2i_ASN1_INTEGER(nullptr, &at, static_cast<long>(der.size()));
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, serial);
    X509_REVOKED_set_revocationDate(entry, now);
    X509_CRL_add0_revoked(list, entry);
    ASN1_INTEGER_free(serial);
  }
  ASN1_TIME_free(now);
  ASN1_TIME_free(next);
  X509_CRL_sort(list);
  EXPECT_GT(X509_CRL_sign(list, own_.key.get(), EVP_sha256()), 0);
  std::string pem = Pem([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list); });
  X509_CRL_free(list);
  return pem;
}

std::string WriteFile(const std::string& content) {
  static std::atomic<int> count = 0;
  const std::string path = absl::StrCat(::testing::TempDir(), "pagewire-tls-", getpid(), "-", ++count, ".pem");
  std::ofstream(path) << content;
  return path;
}

void ReplaceFile(const std::string& path, const std::string& content) {
  const std::string temporary = WriteFile(content);
  EXPECT_EQ(std::rename(temporary.c_str(), path.c_str()), 0);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

}  // namespace pagewire::testing
