// Where a server's entry is in etcd: the one layout that both sides know.
#pragma once

#include <string>
#include <string_view>

namespace pagewire::etcd {

//   /pagewire/services/ <service> / <address>
//   |-- prefix of a service ------|
//
// <service> has no '/'. <address> is as in Resolution ("ipv4:10.0.0.1:7070") and may have some. The value is the
// address again, for people who look.
inline std::string ServicePrefix(std::string_view service) {
  return std::string("/pagewire/services/").append(service).append("/");
}

// The first key after all that begin with `prefix`, whose last byte is not 0xff.
inline std::string EndOfPrefix(std::string prefix) {
  ++prefix.back();
  return prefix;
}

inline std::string EntryKey(std::string_view service, std::string_view address) {
  return ServicePrefix(service).append(address);
}

// The prefix ends with the service's '/', so it is a name of its own: neither empty nor with a '/'.
inline bool IsServiceName(std::string_view service) {
  for (const char c : service) {
    if (c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return !service.empty();
}

}  // namespace pagewire::etcd
