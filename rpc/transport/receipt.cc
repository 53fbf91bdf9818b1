#include "transport/receipt.h"

#include "wire/copy_reason.h"

namespace pagewire::transport {

void WriteReceipt(uint64_t payload_id, const TransferReport& report, wire::v1::Receipt& receipt) {
  receipt.Clear();
  receipt.set_payload_id(payload_id);
  receipt.set_receive_path(wire::ToWire(report.receive_path));
  receipt.set_mapped_bytes(report.mapped_bytes);
  receipt.set_cpu_ns(report.receive_cpu_ns);
  for (int i = 0; i < kCopyReasonCount; ++i) {
    if (report.copied_bytes[i] == 0) continue;
    wire::v1::CopiedBytes& copied = *receipt.add_copied();
    copied.set_reason(wire::ToWire(static_cast<CopyReason>(i)));
    copied.set_bytes(report.copied_bytes[i]);
  }
}

}  // namespace pagewire::transport
