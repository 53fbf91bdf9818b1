// What happened to one payload on its way.
#pragma once

#include <pagewire/paths.h>

#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <string>

namespace pagewire {

// What `auto` knew when it chose a payload's paths.
struct PathEvidence {
  bool measured = false;  // by measured costs; false: by a rule, or the paths were asked for
  uint32_t trials = 0;    // of other pairs against the one in force, for payloads of about this size and this host

  // The pair that came closest in its last trial, and what it took then of the time and of the CPU of both sides.
  // kAuto while there was no trial.
  SendPath next_send = SendPath::kAuto;
  ReceivePath next_receive = ReceivePath::kAuto;
  double time_ratio = 0;
  double cpu_ratio = 0;
};

// A plain value: copy it freely. Both ends of a call have one for each payload; the sender learns the receiver's part
// (receive_path, mapped_bytes, copied_bytes) from an acknowledgement, which has arrived when the call ends with OK.
struct TransferReport {
  // Size of the payload in bytes. 0 with an unset `began` means that there was no payload.
  uint64_t payload_bytes = 0;

  // The path taken; kAuto while nothing was sent (or, for receive_path at the sender, not yet reported).
  SendPath send_path = SendPath::kAuto;
  ReceivePath receive_path = ReceivePath::kAuto;

  // Receiver's side: payload_bytes == mapped_bytes + the sum of copied_bytes, once the payload is complete.
  uint64_t mapped_bytes = 0;
  std::array<uint64_t, kCopyReasonCount> copied_bytes = {};  // indexed by CopyReason

  // Sender's side: bytes that the kernel copied on the way in, and why. With send path `copy`, all of them; with
  // `zerocopy`, the tail, what could not be sent without a copy, and what the kernel says it copied all the same, as it
  // does when both ends are on one host. Complete when the call ends with OK.
  uint64_t kernel_copied_bytes = 0;
  std::array<uint64_t, kCopyReasonCount> kernel_copied_by_reason = {};  // indexed by CopyReason; the sum of the above

  // The bytes went with a digest, which the receiver compared with what came.
  bool digest = false;

  // At the sender: how the paths were chosen.
  PathEvidence evidence;

  // CPU time that sending the payload took, and receiving it, in nanoseconds. 0 where it was not measured: that is done
  // for a few payloads, for `auto` to learn from. The sender has both, the receiver its own in `receive_cpu_ns`.
  uint64_t send_cpu_ns = 0;
  uint64_t receive_cpu_ns = 0;

  uint64_t chunks = 0;  // frames of whole pages; the tail is not one
  uint64_t acks = 0;    // acknowledgements that moved this payload forward, at the sender

  absl::Time began = absl::InfinitePast();       // the payload was announced
  absl::Time finished = absl::InfiniteFuture();  // its last byte was handed to, or taken from, the kernel

  uint64_t copied(CopyReason reason) const { return copied_bytes[static_cast<size_t>(reason)]; }

  // Adds to kernel_copied_bytes, and to the reason's share of it.
  void CountKernelCopy(CopyReason reason, uint64_t bytes) {
    kernel_copied_bytes += bytes;
    kernel_copied_by_reason[static_cast<size_t>(reason)] += bytes;
  }

  // One line for logs: "1048576 bytes copy/copy, 0 mapped, copied same_host_copy=1048576, 4 chunks".
  std::string ToString() const;

  // The same as a sentence for people, with why bytes were copied and what that means: "3000000 bytes, sent by
  // zerocopy: the sender's kernel copied 1728 of them (1728 tail: ...); received by map: 2998272 mapped, 1728 copied
  // (...)".
  std::string explain() const;
};

// The two payloads a unary call can have.
struct CallTransferReport {
  TransferReport sent;
  TransferReport received;
};

}  // namespace pagewire
