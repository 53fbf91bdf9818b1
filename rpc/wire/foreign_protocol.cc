#include "wire/foreign_protocol.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "base/string_view.h"
#include "wire/preface.h"

namespace pagewire::wire {
namespace {

bool BeginsWith(std::string_view bytes, std::string_view beginning) {
  return bytes.substr(0, beginning.size()) == beginning;
}

bool IsHttp1(std::string_view bytes) {
  for (std::string_view beginning :
       {"GET ", "PUT ", "POST ", "HEAD ", "PATCH ", "TRACE ", "DELETE ", "OPTIONS ", "CONNECT ", "HTTP/1."}) {
    if (BeginsWith(bytes, beginning.substr(0, 8))) return true;
  }
  return false;
}

// A record header: its type, then version 3.0 to 3.4.
bool IsTls(std::string_view bytes, char record_type) {
  return bytes[0] == record_type && bytes[1] == 3 && static_cast<unsigned char>(bytes[2]) <= 4;
}

// The server's first frame in HTTP/2: SETTINGS, no flags, stream 0.
bool IsHttp2Settings(std::string_view bytes) {
  return bytes[0] == 0 && bytes[1] == 0 && BeginsWith(bytes.substr(3), std::string_view("\x04\0\0\0\0", 5));
}

// The magic as it looks after a change of line ends, or of the highest bits.
bool IsMangledMagic(std::string_view bytes) {
  return (bytes[0] == kMagic[0] || bytes[0] == (kMagic[0] & 0x7f)) && BeginsWith(bytes.substr(1), "PGW");
}

}  // namespace

std::string DescribeForeignProtocol(std::string_view bytes) {
  if (BeginsWith(bytes, "PRI * HT")) return "speaks HTTP/2 (its client preface)";
  if (IsHttp2Settings(bytes)) return "speaks HTTP/2 (a SETTINGS frame)";
  if (IsHttp1(bytes)) {
    return absl::StrCat("speaks HTTP/1 (\"", absl::CHexEscape(base::ToAbsl(bytes)), "\")");
  }
  if (BeginsWith(bytes, "SSH-")) return absl::StrCat("speaks SSH (\"", absl::CHexEscape(base::ToAbsl(bytes)), "\")");
  if (IsTls(bytes, 0x16)) return "speaks TLS (a handshake record); this side expects Pagewire without TLS";
  if (IsTls(bytes, 0x15)) return "speaks TLS (an alert record); this side speaks Pagewire without TLS";
  if (IsMangledMagic(bytes)) return "speaks Pagewire through something that changes bytes as if they were text";
  return absl::StrCat("sent bytes that are not Pagewire's (", absl::BytesToHexString(base::ToAbsl(bytes)), ")");
}

}  // namespace pagewire::wire
