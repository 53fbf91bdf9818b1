#include "transport/address.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/string_view.h"
#include "transport/socket_error.h"

namespace pagewire::transport {
namespace {

constexpr char kForms[] =
    "expected \"host:port\", \"dns:///host:port\", \"ipv4:1.2.3.4:port\", \"ipv6:[::1]:port\" or \"unix:/path\"";

// Carries the text through the functions below, for their messages.
class Parser {
 public:
  Parser(std::string_view text, bool listening) : text_(text), listening_(listening) {}

  absl::StatusOr<Target> Parse() const {
    std::string_view rest = text_;
    if (Skip(rest, "unix:")) return Unix(rest);
    if (Skip(rest, "ipv4:")) return Literal(rest, AF_INET, "an IPv4 address such as 1.2.3.4");
    if (Skip(rest, "ipv6:")) return Literal(rest, AF_INET6, "an IPv6 address in brackets such as [::1]");
    if (Skip(rest, "dns:") && Skip(rest, "//") && !Skip(rest, "/")) {
      return Bad("name servers of its own are not supported: write dns:///host:port");
    }
    return Name(rest);
  }

 private:
  struct HostPort {
    std::string host;  // without brackets
    bool bracketed;
    uint16_t port;
  };

  static bool Skip(std::string_view& text, std::string_view prefix) {
    if (text.substr(0, prefix.size()) != prefix) return false;
    text.remove_prefix(prefix.size());
    return true;
  }

  absl::Status Bad(std::string_view why) const {
    return absl::InvalidArgumentError(absl::StrCat("\"", absl::CHexEscape(base::ToAbsl(text_)), "\" is not a ",
                                                   listening_ ? "listening address" : "target", ": ", base::ToAbsl(why),
                                                   "; ", kForms));
  }

  absl::StatusOr<uint16_t> Port(std::string_view digits) const {
    uint32_t port = 0;
    const bool number = !digits.empty() && digits.size() <= 5 &&
                        std::all_of(digits.begin(), digits.end(), [](char c) { return absl::ascii_isdigit(c); });
    for (const char digit : number ? digits : std::string_view()) port = port * 10 + (digit - '0');
    if (!number || port > std::numeric_limits<uint16_t>::max() || (port == 0 && !listening_)) {
      return Bad(absl::StrCat("the port must be a number from ", listening_ ? 0 : 1, " to 65535"));
    }
    return static_cast<uint16_t>(port);
  }

  absl::StatusOr<HostPort> SplitHostPort(std::string_view text) const {
    HostPort result;
    result.bracketed = Skip(text, "[");
    const size_t end = text.find(result.bracketed ? ']' : ':');
    if (end == text.npos) return Bad(result.bracketed ? "\"]\" is missing" : "the port is missing");
    result.host = text.substr(0, end);
    text.remove_prefix(end + (result.bracketed ? 1 : 0));
    if (!Skip(text, ":")) return Bad("the port is missing");
    if (!result.bracketed && text.find(':') != text.npos) {
      return Bad("it has several colons, and IPv6 addresses need brackets");
    }
    if (result.host.empty()) return Bad("the host is missing");
    const auto port = Port(text);
    if (!port.ok()) return port.status();
    result.port = *port;
    return result;
  }

  static std::optional<SocketAddress> Ipv4(const HostPort& from) {
    sockaddr_in address = {};
    if (from.bracketed || inet_pton(AF_INET, from.host.c_str(), &address.sin_addr) != 1) return std::nullopt;
    address.sin_family = AF_INET;
    address.sin_port = htons(from.port);
    return SocketAddress(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }

  static std::optional<SocketAddress> Ipv6(const HostPort& from) {
    sockaddr_in6 address = {};
    const size_t percent = from.host.find('%');
    if (!from.bracketed || inet_pton(AF_INET6, from.host.substr(0, percent).c_str(), &address.sin6_addr) != 1) {
      return std::nullopt;
    }
    if (percent != from.host.npos) {
      address.sin6_scope_id = if_nametoindex(from.host.c_str() + percent + 1);
      if (address.sin6_scope_id == 0) return std::nullopt;
    }
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(from.port);
    return SocketAddress(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }

  Target Found(const SocketAddress& address) const {
    return {.text = std::string(text_), .addresses = {address}, .host = "", .port = address.port()};
  }

  absl::StatusOr<Target> Literal(std::string_view rest, int family, std::string_view expected) const {
    Target target = {.text = std::string(text_), .addresses = {}, .host = "", .port = 0};
    for (bool more = true; more;) {
      const size_t comma = rest.find(',');
      more = comma != rest.npos;
      if (more && listening_) return Bad("one address at a time");
      const auto split = SplitHostPort(rest.substr(0, comma));
      if (!split.ok()) return split.status();
      const auto address = family == AF_INET ? Ipv4(*split) : Ipv6(*split);
      if (!address) return Bad(absl::StrCat("the host must be ", base::ToAbsl(expected)));
      target.addresses.push_back(*address);
      if (more) rest.remove_prefix(comma + 1);
    }
    target.port = target.addresses.front().port();
    return target;
  }

  absl::StatusOr<Target> Name(std::string_view rest) const {
    auto split = SplitHostPort(rest);
    if (!split.ok()) return split.status();
    if (const auto address = Ipv4(*split)) return Found(*address);
    if (const auto address = Ipv6(*split)) return Found(*address);
    if (split->bracketed) return Bad("there is no IPv6 address in the brackets");
    const auto in_names = [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_'; };
    if (!std::all_of(split->host.begin(), split->host.end(), in_names)) {
      return Bad("host names have letters, digits, '-', '.' and '_' only");
    }
    return Target{.text = std::string(text_), .addresses = {}, .host = std::move(split->host), .port = split->port};
  }

  absl::StatusOr<Target> Unix(std::string_view path) const {
    Skip(path, "//");  // unix:///path
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.empty()) return Bad("the path is missing");
    if (path.find('\0') != path.npos) return Bad("the path has a zero byte in it");
    if (path.size() >= sizeof(address.sun_path)) {
      return Bad(
          absl::StrCat("the path has ", path.size(), " bytes, the system's limit is ", sizeof(address.sun_path) - 1));
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const socklen_t length = offsetof(sockaddr_un, sun_path) + path.size() + 1;
    return Found(SocketAddress(reinterpret_cast<const sockaddr*>(&address), length));
  }

  const std::string_view text_;
  const bool listening_;
};

}  // namespace

absl::StatusOr<Target> ParseTarget(std::string_view text) { return Parser(text, /*listening=*/false).Parse(); }

absl::StatusOr<Target> ParseListeningAddress(std::string_view text) { return Parser(text, /*listening=*/true).Parse(); }

absl::StatusOr<std::vector<SocketAddress>> Resolve(const Target& target) {
  if (!target.addresses.empty()) return target.addresses;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found);
  if (error != 0) {
    const std::string why = error == EAI_SYSTEM ? ErrnoText(errno) : gai_strerror(error);
    return absl::UnavailableError(absl::StrCat("cannot look up \"", target.host, "\" of ", target.text, ": ", why));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    addresses.emplace_back(info->ai_addr, info->ai_addrlen);
  }
  return addresses;
}

}  // namespace pagewire::transport
