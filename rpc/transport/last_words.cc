#include "transport/last_words.h"

#include <absl/time/time.h>

#include <array>
#include <utility>

namespace pagewire::transport {
namespace {

// As long as a closing session waits for the last acknowledgements.
constexpr absl::Duration kPatience = absl::Seconds(1);

// Kept by its timer.
class Speaker final : private ByteStream::Observer {
 public:
  Speaker(Loop& loop, LastWords last) : loop_(loop), last_(std::move(last)) { last_.relay->set_target(this); }

  static void Start(const std::shared_ptr<Speaker>& self) {
    self->timer_ = self->loop_.RunAfter(kPatience, [self] { self->timer_ = 0; });
    self->Go();
  }

 private:
  void OnReadable() override { Go(); }
  void OnWritable() override { Go(); }

  void Go() {
    if (done_ || !(done_ = Done())) return;
    // Not here: the stream is calling.
    loop_.Post([&loop = loop_, timer = std::exchange(timer_, 0)] { loop.CancelTimer(timer); });
  }

  // Whether nothing is left to be done.
  bool Done() {
    while (written_ < last_.bytes.size()) {
      const iovec rest = {last_.bytes.data() + written_, last_.bytes.size() - written_};
      const IoResult result = last_.stream->Write({&rest, 1}, {});
      if (result.state != IoState::kOk) return result.state == IoState::kFailed;
      written_ += result.bytes;
    }
    if (!last_.wait_for_end) return true;
    last_.stream->CloseWrite();
    std::array<char, 4096> unwanted;
    const iovec into = {unwanted.data(), unwanted.size()};
    IoResult result;
    do {
      result = last_.stream->Read({&into, 1});
    } while (result.state == IoState::kOk);
    return result.state != IoState::kBlocked;
  }

  Loop& loop_;
  LastWords last_;
  size_t written_ = 0;
  bool done_ = false;
  Loop::TimerId timer_ = 0;
};

}  // namespace

void SayLastWords(Loop& loop, LastWords last) { Speaker::Start(std::make_shared<Speaker>(loop, std::move(last))); }

}  // namespace pagewire::transport
