// How many handlers run: what a server waits for before it goes.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "base/mutex.h"

namespace pagewire::server {

// Thread-safe.
class RunningHandlers {
  struct Count;

 public:
  // One handler runs while its token lives, which may be longer than the RunningHandlers.
  class Token {
   public:
    explicit Token(std::shared_ptr<Count> count);
    Token(Token&&) noexcept = default;
    Token& operator=(Token&&) = delete;
    ~Token();

   private:
    std::shared_ptr<Count> count_;  // null: moved from
  };
  Token Begin() const { return Token(count_); }

  // Blocks until none runs. Nothing may begin meanwhile.
  void WaitForAll() const;

 private:
  struct Count {
    std::atomic<int> running = 0;
    base::Mutex mutex;  // held while it is told that the last one has ended
    base::CondVar idle;
  };
  const std::shared_ptr<Count> count_ = std::make_shared<Count>();
};

}  // namespace pagewire::server
