// A name server on a port of its own, which says what a test tells it to.
#pragma once

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/unique_fd.h"

namespace pagewire::client {

// Answers each question alike, whatever the name, over UDP and TCP. Thread-safe.
class FakeDnsServer {
 public:
  struct Records {
    std::vector<std::string> ipv4;  // "1.2.3.4"
    std::vector<std::string> ipv6;  // "::1"
  };

  FakeDnsServer();
  ~FakeDnsServer();

  // For c-ares: "127.0.0.1:port".
  const std::string& address() const { return address_; }

  void Answer(Records records);
  void AnswerWithError(int code);  // RFC 1035: 2 is a failure of the server, 3 says that there is no such name
  void AnswerWithGarbage();        // the question comes back, followed by a record that ends in the middle
  void AnswerByTcpOnly(Records records);
  void KeepSilent();

  // Blocks until it was asked for the `count`-th time, by UDP.
  void WaitForQuestions(int count) const;
  int questions() const;

 private:
  enum class Mode { kRecords, kError, kGarbage, kTcpOnly, kSilent };

  void Set(Mode mode, Records records, int error);
  void Serve();
  void ServeUdp();
  void ServeTcp();
  std::string Reply(std::string_view query, bool tcp);

  base::UniqueFd udp_;
  base::UniqueFd tcp_;
  base::UniqueFd stop_;
  std::string address_;

  mutable base::Mutex mutex_;
  mutable base::CondVar asked_;
  Mode mode_ ABSL_GUARDED_BY(mutex_) = Mode::kSilent;
  Records records_ ABSL_GUARDED_BY(mutex_);
  int error_ ABSL_GUARDED_BY(mutex_) = 0;
  int questions_ ABSL_GUARDED_BY(mutex_) = 0;

  std::thread thread_;
};

}  // namespace pagewire::client
