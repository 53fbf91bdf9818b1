// Who is at the other end of a connection, as far as that is proven.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pagewire {

// The process at the other end of a Unix socket, as the kernel knew it when the connection was made (SO_PEERCRED).
struct PeerProcess {
  int64_t pid = 0;  // 0: in another pid namespace
  uint32_t uid = 0;
  uint32_t gid = 0;
};

struct PeerIdentity {
  // The bytes are encrypted and the server has proven who it is: TLS. A Unix socket is not encrypted, and does not
  // leave the host.
  bool encrypted = false;

  // From the certificate that was shown and verified; empty where none was.
  std::string common_name;              // of its subject
  std::vector<std::string> dns_names;   // of its subjectAltName, in their order
  std::vector<std::string> uris;        // the same; SPIFFE ids are found here
  std::string certificate_fingerprint;  // SHA-256, lower-case hexadecimal

  std::optional<PeerProcess> process;  // of a Unix socket
};

}  // namespace pagewire
