#include "transport/error_queue.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <ctime>

// Needs timespec, and does not say so.
#include <linux/errqueue.h>

namespace pagewire::transport {
namespace {

bool IsExtendedError(const cmsghdr& control) {
  return (control.cmsg_level == SOL_IP && control.cmsg_type == IP_RECVERR) ||
         (control.cmsg_level == SOL_IPV6 && control.cmsg_type == IPV6_RECVERR);
}

}  // namespace

bool NextZerocopyCompletion(int fd, ZerocopyCompletion& completion) {
  for (;;) {
    // The extended error and the address that may follow it.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(sock_extended_err) + sizeof(sockaddr_in6))];
    msghdr message = {};
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (!IsExtendedError(*header)) continue;
      sock_extended_err error;
      std::memcpy(&error, CMSG_DATA(header), sizeof(error));
      if (error.ee_origin != SO_EE_ORIGIN_ZEROCOPY || error.ee_errno != 0) continue;
      completion = {error.ee_info, error.ee_data, (error.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0};
      return true;
    }
  }
}

}  // namespace pagewire::transport
