#include "bulk/demo/figures.h"

namespace bulk::demo {
namespace {

constexpr uint64_t kPageBytes = 4096;  // Pagewire's unit, whatever the machine's page is

double Ratio(double numerator, double denominator) { return denominator > 0 ? numerator / denominator : 0; }

double Part(uint64_t part, uint64_t whole) { return Ratio(static_cast<double>(part), static_cast<double>(whole)); }

double MicrosPerMegabyte(absl::Duration duration, uint64_t bytes) {
  return Ratio(absl::ToDoubleMicroseconds(duration), static_cast<double>(bytes) / 1e6);
}

}  // namespace

void Figures::Add(const pagewire::TransferReport& report) {
  ++calls;
  bytes += report.payload_bytes;
  whole_page_bytes += report.payload_bytes / kPageBytes * kPageBytes;
  mapped_bytes += report.mapped_bytes;
  for (size_t i = 0; i < copied_bytes.size(); ++i) copied_bytes[i] += report.copied_bytes[i];
}

void Figures::AddPut(const pagewire::TransferReport& sent) {
  Add(sent);
  put_bytes += sent.payload_bytes;
  kernel_copied_bytes += sent.kernel_copied_bytes;
}

void Figures::AddGet(const pagewire::TransferReport& received) { Add(received); }

double Figures::GigabytesPerSecond() const {
  return Ratio(static_cast<double>(bytes) / 1e9, absl::ToDoubleSeconds(wall));
}

double Figures::ClientCpuMicrosPerMegabyte() const { return MicrosPerMegabyte(client_cpu, bytes); }
double Figures::ServerCpuMicrosPerMegabyte() const { return MicrosPerMegabyte(server_cpu, bytes); }
double Figures::MappedFraction() const { return Part(mapped_bytes, whole_page_bytes); }
double Figures::KernelCopiedFraction() const { return Part(kernel_copied_bytes, put_bytes); }

}  // namespace bulk::demo
