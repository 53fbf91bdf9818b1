#include "client/fake_dns_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cstdint>
#include <utility>

namespace pagewire::client {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeAaaa = 28;

void Append16(std::string& out, uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

uint16_t Read16(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 | static_cast<uint8_t>(bytes[at + 1]));
}

// Of the first question, with its type and class.
size_t EndOfQuestion(std::string_view query) {
  size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) at += static_cast<uint8_t>(query[at]) + 1;
  return at + 5;
}

std::string Record(uint16_t type, std::string_view data) {
  std::string record;
  Append16(record, 0xc000 | kHeaderBytes);  // the name: as in the question
  Append16(record, type);
  Append16(record, 1);           // the Internet
  record.append("\0\0\0\0", 4);  // to be kept 0 s
  Append16(record, static_cast<uint16_t>(data.size()));
  return record.append(data);
}

std::string Encode(int family, const std::string& address) {
  std::string bytes(family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr), '\0');
  EXPECT_EQ(inet_pton(family, address.c_str(), bytes.data()), 1) << address;
  return bytes;
}

// Both sockets on one port; false when the second is taken.
bool BindBoth(int udp, int tcp, uint16_t& port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(udp, reinterpret_cast<sockaddr*>(&address), length) != 0) return false;
  getsockname(udp, reinterpret_cast<sockaddr*>(&address), &length);
  port = ntohs(address.sin_port);
  return bind(tcp, reinterpret_cast<sockaddr*>(&address), length) == 0 && listen(tcp, 8) == 0;
}

}  // namespace

FakeDnsServer::FakeDnsServer() : stop_(eventfd(0, EFD_CLOEXEC)) {
  uint16_t port = 0;
  do {
    udp_.Reset(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    tcp_.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  } while (!BindBoth(udp_.get(), tcp_.get(), port));
  address_ = "127.0.0.1:" + std::to_string(port);
  thread_ = std::thread([this] { Serve(); });
}

FakeDnsServer::~FakeDnsServer() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void FakeDnsServer::Answer(Records records) { Set(Mode::kRecords, std::move(records), 0); }
void FakeDnsServer::AnswerWithError(int code) { Set(Mode::kError, {}, code); }
void FakeDnsServer::AnswerWithGarbage() { Set(Mode::kGarbage, {}, 0); }
void FakeDnsServer::AnswerByTcpOnly(Records records) { Set(Mode::kTcpOnly, std::move(records), 0); }
void FakeDnsServer::KeepSilent() { Set(Mode::kSilent, {}, 0); }

void FakeDnsServer::Set(Mode mode, Records records, int error) {
  base::MutexLock lock(mutex_);
  mode_ = mode;
  records_ = std::move(records);
  error_ = error;
}

void FakeDnsServer::WaitForQuestions(int count) const {
  base::MutexLock lock(mutex_);
  while (questions_ < count) asked_.Wait(mutex_);
}

int FakeDnsServer::questions() const {
  base::MutexLock lock(mutex_);
  return questions_;
}

void FakeDnsServer::Serve() {
  for (;;) {
    pollfd fds[] = {{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    poll(fds, std::size(fds), -1);
    if (fds[2].revents != 0) return;
    if (fds[0].revents != 0) ServeUdp();
    if (fds[1].revents != 0) ServeTcp();
  }
}

void FakeDnsServer::ServeUdp() {
  char query[512];
  sockaddr_in peer;
  socklen_t length = sizeof(peer);
  const ssize_t got = recvfrom(udp_.get(), query, sizeof(query), 0, reinterpret_cast<sockaddr*>(&peer), &length);
  if (got < static_cast<ssize_t>(kHeaderBytes)) return;
  const std::string reply = Reply({query, static_cast<size_t>(got)}, /*tcp=*/false);
  if (!reply.empty()) sendto(udp_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), length);
  base::MutexLock lock(mutex_);
  ++questions_;
  asked_.NotifyAll();
}

// All questions of one connection, until the client closes it.
void FakeDnsServer::ServeTcp() {
  const base::UniqueFd connection(accept(tcp_.get(), nullptr, nullptr));
  char length[2];
  while (recv(connection.get(), length, sizeof(length), MSG_WAITALL) == sizeof(length)) {
    std::string query(Read16({length, 2}, 0), '\0');
    if (recv(connection.get(), query.data(), query.size(), MSG_WAITALL) != static_cast<ssize_t>(query.size())) return;
    const std::string reply = Reply(query, /*tcp=*/true);
    std::string framed;
    Append16(framed, static_cast<uint16_t>(reply.size()));
    framed += reply;
    // In two parts, as the network may deliver it.
    send(connection.get(), framed.data(), 5, MSG_NOSIGNAL);
    send(connection.get(), framed.data() + 5, framed.size() - 5, MSG_NOSIGNAL);
  }
}

std::string FakeDnsServer::Reply(std::string_view query, bool tcp) {
  base::MutexLock lock(mutex_);
  if (mode_ == Mode::kSilent) return "";
  const size_t end = EndOfQuestion(query);
  const uint16_t type = Read16(query, end - 4);
  const bool truncated = mode_ == Mode::kTcpOnly && !tcp;

  std::string records;
  uint16_t count = 0;
  for (const std::string& address : type == kTypeA ? records_.ipv4 : records_.ipv6) {
    if (truncated) break;
    records += Record(type, Encode(type == kTypeAaaa ? AF_INET6 : AF_INET, address));
    ++count;
  }
  if (mode_ == Mode::kGarbage) {
    records = Record(type, "12345678").substr(0, 14);
    count = 1;
  }

  std::string reply(query.substr(0, 2));
  Append16(reply, static_cast<uint16_t>(0x8180 | (truncated ? 0x0200 : 0) | error_));
  Append16(reply, 1);
  Append16(reply, count);
  reply.append("\0\0\0\0", 4);  // no authorities and nothing else
  reply.append(query.substr(kHeaderBytes, end - kHeaderBytes));
  return reply + records;
}

}  // namespace pagewire::client
