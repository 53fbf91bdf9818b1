#include "transport/tls_context.h"

#include <absl/strings/str_cat.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pagewire/log.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/string_view.h"
#include "transport/socket_error.h"
#include "transport/tls_error.h"

namespace pagewire::transport {
namespace {

absl::Status Unreadable(std::string_view what, const std::string& file) {
  return absl::InvalidArgumentError(
      absl::StrCat("TLS: ", base::ToAbsl(what), " \"", file, "\": ", base::ToAbsl(TakeOpensslErrors())));
}

// In ALPN's encoding: each name after its length.
std::string OfferedProtocols() {
  return absl::StrCat(std::string(1, static_cast<char>(kTlsProtocol.size())), base::ToAbsl(kTlsProtocol));
}

int SelectProtocol(SSL*, const unsigned char** selected, unsigned char* selected_length, const unsigned char* offered,
                   unsigned int offered_length, void*) {
  static const std::string ours = OfferedProtocols();
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, selected_length, reinterpret_cast<const unsigned char*>(ours.data()), ours.size(),
                            offered, offered_length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *selected = found;
  return SSL_TLSEXT_ERR_OK;
}

absl::Status LoadOwn(SSL_CTX* context, const TlsFiles& files) {
  if (files.certificate_file.empty() && files.private_key_file.empty() && !files.server) return absl::OkStatus();
  if (files.certificate_file.empty() || files.private_key_file.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("TLS: ", files.certificate_file.empty() ? "certificate_file is" : "",
                                                   files.private_key_file.empty() ? "private_key_file is" : "",
                                                   " empty; a certificate and its key come together"));
  }
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate_file.c_str()) != 1) {
    return Unreadable("certificate file", files.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.private_key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Unreadable("private key file", files.private_key_file);
  }
  return absl::OkStatus();
}

absl::Status LoadTrust(SSL_CTX* context, const TlsFiles& files) {
  if (files.ca_file.empty()) {
    if (!files.server) SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, files.ca_file.c_str()) != 1) {
    return Unreadable("certificate authorities file", files.ca_file);
  }
  if (files.server && !files.ca_file.empty()) {
    // So that clients with several certificates know which to show.
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.ca_file.c_str()));
  }
  if (files.crl_file.empty()) return absl::OkStatus();
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* const lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, files.crl_file.c_str(), X509_FILETYPE_PEM) < 1) {
    return Unreadable("revocation list file", files.crl_file);
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return absl::OkStatus();
}

// Keys with a passphrase are refused: OpenSSL would ask for it at the terminal, and the process would wait.
int NoPassphrase(char*, int, int, void*) { return -1; }

// Loops run until the process is gone, and destroy connections while main's static objects go. What OpenSSL has of its
// own would go then, too, unless whoever uses it first says no: an application that does so before us has to say it.
void KeepOpensslUntilTheEnd() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

bool IsIpAddress(const std::string& name) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

}  // namespace

TlsContext::TlsContext(TlsFiles files, std::vector<std::string> peer_names)
    : files_(std::move(files)), peer_names_(std::move(peer_names)) {}

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::Load(TlsFiles files, std::vector<std::string> peer_names) {
  KeepOpensslUntilTheEnd();
  for (const std::string& name : peer_names) {
    if (!name.empty() && !IsIpAddress(name)) continue;
    return absl::InvalidArgumentError(absl::StrCat("TLS: \"", name, "\" in client_names is no DNS name"));
  }
  std::shared_ptr<TlsContext> context(new TlsContext(std::move(files), std::move(peer_names)));
  base::MutexLock lock(context->mutex_);
  context->stamps_ = context->Look();
  absl::StatusOr<SslContextPtr> read = context->Read();
  if (!read.ok()) return std::move(read).status();
  context->context_ = *std::move(read);
  return context;
}

TlsContext::Stamps TlsContext::Look() const {
  Stamps stamps;
  for (const std::string& file : {files_.certificate_file, files_.private_key_file, files_.ca_file, files_.crl_file}) {
    struct stat found = {};
    if (file.empty() || stat(file.c_str(), &found) != 0) {
      stamps.emplace_back();
      continue;
    }
    stamps.push_back(absl::StrCat(found.st_dev, " ", found.st_ino, " ", found.st_size, " ", found.st_mtim.tv_sec, ".",
                                  found.st_mtim.tv_nsec));
  }
  return stamps;
}

absl::StatusOr<SslContextPtr> TlsContext::Read() const {
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(files_.server ? TLS_server_method() : TLS_client_method()));
  if (context == nullptr) return absl::UnavailableError(absl::StrCat("TLS: ", base::ToAbsl(TakeOpensslErrors())));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);  // of connections that are idle
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), 64 << 10);
  SSL_CTX_set_default_passwd_cb(context.get(), NoPassphrase);
  if (absl::Status status = LoadOwn(context.get(), files_); !status.ok()) return status;
  if (absl::Status status = LoadTrust(context.get(), files_); !status.ok()) return status;
  if (files_.server) {
    SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
    const bool ask = !files_.ca_file.empty();
    SSL_CTX_set_verify(context.get(), ask ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
                       nullptr);
  } else {
    const std::string offered = OfferedProtocols();
    SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(offered.data()), offered.size());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  return context;
}

void TlsContext::ReadAgainIfChanged() {
  Stamps stamps = Look();
  if (stamps == stamps_) return;
  absl::StatusOr<SslContextPtr> read = Read();
  if (read.ok()) {
    stamps_ = std::move(stamps);
    context_ = *std::move(read);
  } else if (warned_of_ != stamps) {  // it is tried again, since the reason may pass
    warned_of_ = std::move(stamps);
    Log(LogSeverity::kWarning,
        base::ToStd(absl::StrCat(read.status().message(), "; what was read before stays in use")));
  }
}

absl::StatusOr<SslPtr> TlsContext::NewConnection(std::string_view peer_name) {
  SslPtr ssl;
  {
    base::MutexLock lock(mutex_);
    ReadAgainIfChanged();
    ssl.reset(SSL_new(context_.get()));
  }
  if (ssl == nullptr) return absl::UnavailableError(absl::StrCat("TLS: ", base::ToAbsl(TakeOpensslErrors())));
  // As RFC 9525 has it: names are those in subjectAltName, and "*" stands for a whole label.
  SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (files_.server) {
    SSL_set_accept_state(ssl.get());
    for (const std::string& name : peer_names_) {
      if (SSL_add1_host(ssl.get(), name.c_str()) != 1) {
        return absl::InvalidArgumentError(absl::StrCat("TLS: \"", name, "\" in client_names is no DNS name"));
      }
    }
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  const std::string name(peer_name);
  const bool taken = IsIpAddress(name) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str()) == 1
                                       : !name.empty() && SSL_set1_host(ssl.get(), name.c_str()) == 1 &&
                                             SSL_set_tlsext_host_name(ssl.get(), name.c_str()) == 1;
  if (taken) return ssl;
  return absl::InvalidArgumentError(absl::StrCat(
      "TLS: \"", name, "\" is no name that a server's certificate could be for; set TlsChannelOptions::server_name"));
}

}  // namespace pagewire::transport
