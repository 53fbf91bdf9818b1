// What a certificate says of its holder.
#pragma once

#include <openssl/ssl.h>
#include <pagewire/peer_identity.h>

#include <string>

namespace pagewire::transport {

// Of a connection whose handshake is complete.
PeerIdentity TlsIdentityOf(const SSL& ssl);

// For messages: "CN=a, names b, c".
std::string DescribeCertificate(X509& certificate);

}  // namespace pagewire::transport
