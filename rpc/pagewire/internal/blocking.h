// Waiting, on a thread of the user's, for what a loop answers.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace pagewire::internal {

// Whether this is one of the library's loop threads, which must not wait for a loop.
bool OnLoopThread();

// Opens once. Thread-safe; copies are the same gate.
class Gate {
 public:
  Gate();
  ~Gate();
  Gate(const Gate&);
  Gate& operator=(const Gate&) = delete;
  void Open();
  void Wait();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Calls `start` with a function that takes a Value, and returns what that is called with.
template <typename Value, typename Start>
Value BlockOn(Start&& start) {
  struct Place {
    Gate gate;
    std::optional<Value> value;
  };
  const auto place = std::make_shared<Place>();
  std::forward<Start>(start)([place](Value value) {
    place->value.emplace(std::move(value));
    place->gate.Open();
  });
  place->gate.Wait();
  return *std::move(place->value);
}

}  // namespace pagewire::internal
