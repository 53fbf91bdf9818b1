#include "transport/kernel_support.h"

// Not with <netinet/tcp.h>, which defines some of the same names.
#include <linux/tcp.h>

#include <absl/strings/str_cat.h>
#include <netinet/in.h>
#include <pagewire/log.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "base/unique_fd.h"
#include "transport/page.h"
#include "transport/socket_error.h"

namespace pagewire::transport {
namespace {

absl::Status Missing(const char* path, const char* call, int error) {
  return absl::UnavailableError(
      absl::StrCat(path, " is not possible here, payloads are copied instead: ", call, ": ", ErrnoText(error)));
}

constexpr const char* kSend = "sending without a copy";
constexpr const char* kReceive = "mapping received pages";

absl::Status ProbeReceive(const ProbeCalls& calls) {
  if (const int error = calls.map_addresses(); error != 0) return Missing(kReceive, "mmap of a TCP socket", error);
  size_t answered = 0;
  if (const int error = calls.receive_nothing(answered); error != 0) {
    return Missing(kReceive, "getsockopt(TCP_ZEROCOPY_RECEIVE)", error);
  }
  // Linux 5.11 and later know copybuf and the flags.
  if (answered < offsetof(tcp_zerocopy_receive, msg_control)) {
    return Missing(kReceive, "getsockopt(TCP_ZEROCOPY_RECEIVE) of Linux before 5.11", EOPNOTSUPP);
  }
  return absl::OkStatus();
}

KernelSupport ProbeThisKernel() {
  base::UniqueFd fd;
  const auto result_of = [](long result) { return result < 0 ? errno : 0; };
  ProbeCalls calls;
  calls.open_socket = [&] {
    fd.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) fd.Reset(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return result_of(fd.get());
  };
  calls.enable_zerocopy = [&] {
    const int on = 1;
    return result_of(setsockopt(fd.get(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)));
  };
  void* page = MAP_FAILED;
  calls.map_addresses = [&] {
    page = mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, fd.get(), 0);
    return page == MAP_FAILED ? errno : 0;
  };
  calls.receive_nothing = [&](size_t& answered) {
    tcp_zerocopy_receive call = {};
    call.address = reinterpret_cast<uintptr_t>(page);
    call.length = kPageBytes;
    socklen_t size = sizeof(call);
    const int error = result_of(getsockopt(fd.get(), IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &call, &size));
    answered = size;
    // "Not connected" and "at the end" are answers of a kernel that knows the option.
    return error == ENOTCONN || error == EIO ? 0 : error;
  };
  KernelSupport support = Probe(calls);
  if (page != MAP_FAILED) munmap(page, kPageBytes);
  for (const absl::Status* status : {&support.send_zerocopy, &support.receive_map}) {
    if (!status->ok()) Log(LogSeverity::kInfo, std::string(status->message()));
  }
  return support;
}

}  // namespace

KernelSupport Probe(const ProbeCalls& calls) {
  if (const int error = calls.open_socket(); error != 0) {
    return {Missing(kSend, "socket", error), Missing(kReceive, "socket", error)};
  }
  KernelSupport support;
  if (const int error = calls.enable_zerocopy(); error != 0) {
    support.send_zerocopy = Missing(kSend, "setsockopt(SO_ZEROCOPY)", error);
  }
  support.receive_map = ProbeReceive(calls);
  return support;
}

const KernelSupport& ProbeKernel() {
  static const auto* const support = new KernelSupport(ProbeThisKernel());
  return *support;
}

}  // namespace pagewire::transport
