#include "transport/stream_pump.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace pagewire::transport::testing {

std::string PumpBytes(uint64_t seed, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(((offset + i + seed) * 0x9E3779B97F4A7C15u) >> 56);
  return bytes;
}

StreamPump::StreamPump(StreamEnd& end, Runner& runner, Plan plan)
    : end_(end), runner_(runner), plan_(plan), random_(plan.seed) {
  end_.set_on_readable([this] { Receive(); });
  end_.set_on_writable([this] { Send(); });
}

std::string StreamPump::problem() {
  base::MutexLock lock(runner_.mutex());
  return problem_;
}

void StreamPump::Send() {
  while (sent_ < plan_.send_bytes) {
    const std::string piece = PumpBytes(plan_.seed, sent_, std::min(PieceSize(), plan_.send_bytes - sent_));
    const size_t cut = random_() % (piece.size() + 1);
    const iovec from[] = {Over(std::string_view(piece).substr(0, cut)), Over(std::string_view(piece).substr(cut))};
    const IoResult result = end_.stream().Write(from, {.end_of_record = random_() % 2 == 0});
    if (result.state == IoState::kBlocked) return;
    if (result.state != IoState::kOk) return Report(absl::StrCat("Write: ", result.error.ToString()));
    sent_ += result.bytes;
  }
  end_.stream().CloseWrite();
  base::MutexLock lock(runner_.mutex());
  sent_all_ = true;
  runner_.Changed();
}

void StreamPump::Receive() {
  for (;;) {
    std::string piece(PieceSize(), '\0');
    const size_t cut = random_() % (piece.size() + 1);
    const iovec into[] = {{piece.data(), cut}, {piece.data() + cut, piece.size() - cut}};
    const IoResult result = end_.stream().Read(into);
    if (result.state == IoState::kBlocked) return;
    if (result.state == IoState::kEnd) break;
    if (result.state != IoState::kOk) return Report(absl::StrCat("Read: ", result.error.ToString()));
    if (piece.substr(0, result.bytes) != PumpBytes(plan_.expect_seed, received_, result.bytes)) {
      return Report(absl::StrCat("wrong bytes in the ", result.bytes, " from ", received_));
    }
    received_ += result.bytes;
  }
  if (received_ != plan_.expect_bytes) {
    return Report(absl::StrCat("the end came after ", received_, " bytes, not ", plan_.expect_bytes));
  }
  base::MutexLock lock(runner_.mutex());
  ended_ = true;
  runner_.Changed();
}

void StreamPump::Report(std::string problem) {
  base::MutexLock lock(runner_.mutex());
  problem_ = std::move(problem);
  runner_.Changed();
}

size_t StreamPump::PieceSize() { return 1 + random_() % (size_t{1} << (random_() % 18)); }

}  // namespace pagewire::transport::testing
