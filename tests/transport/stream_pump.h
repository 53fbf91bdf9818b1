// Sends and receives known bytes in random pieces, on a stream's own loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "transport/stream_end.h"

namespace pagewire::transport::testing {

// `size` bytes of the endless sequence that `seed` names, from `offset` on.
std::string PumpBytes(uint64_t seed, uint64_t offset, size_t size);

// Takes over the end: constructed before its Start, destroys its stream in the end.
class StreamPump {
 public:
  struct Plan {
    uint64_t seed;
    size_t send_bytes;  // then CloseWrite
    size_t expect_bytes;
    uint64_t expect_seed = 0;
  };
  StreamPump(StreamEnd& end, Runner& runner, Plan plan);
  ~StreamPump() { end_.Destroy(); }

  // Under the runner's mutex: everything was sent and the peer's end read, or there is a problem.
  bool done() const { return (sent_all_ && ended_) || !problem_.empty(); }

  // Empty when all is well.
  std::string problem();

 private:
  void Send();
  void Receive();
  void Report(std::string problem);
  size_t PieceSize();

  StreamEnd& end_;
  Runner& runner_;
  const Plan plan_;
  std::mt19937_64 random_;
  size_t sent_ = 0;
  size_t received_ = 0;
  bool sent_all_ = false;  // guarded by runner_.mutex(), like the two below
  bool ended_ = false;
  std::string problem_;
};

}  // namespace pagewire::transport::testing
