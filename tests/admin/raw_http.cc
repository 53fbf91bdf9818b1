#include "admin/raw_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/uninterrupted.h"

namespace pagewire::admin {

base::UniqueFd ConnectTo(int port) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) fd.Reset();
  return fd;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = base::Uninterrupted([&] { return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    if (sent < 0) return;  // the server has had enough
    bytes.remove_prefix(sent);
  }
}

std::string ReadToEnd(int fd) {
  std::string all;
  char buffer[4096];
  for (;;) {
    const ssize_t got = base::Uninterrupted([&] { return recv(fd, buffer, sizeof(buffer), 0); });
    if (got <= 0) return all;
    all.append(buffer, got);
  }
}

std::string Exchange(int port, std::string_view request) {
  const base::UniqueFd fd = ConnectTo(port);
  SendAll(fd.get(), request);
  return ReadToEnd(fd.get());
}

std::string Get(int port, std::string_view path) {
  const std::string answer = Exchange(port, "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const size_t body = answer.find("\r\n\r\n");
  if (answer.substr(0, 15) != "HTTP/1.1 200 OK" || body == answer.npos) return "";
  return answer.substr(body + 4);
}

}  // namespace pagewire::admin
