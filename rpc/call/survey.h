// Asks what is listed, each on its loop, within bounds of time and of size.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "call/directory.h"

namespace pagewire::call {

// What was found, by the ids of who was asked.
template <typename View>
struct Findings {
  std::vector<View> views;
  std::vector<uint64_t> unanswered;  // ids of those whose loops did not come to it in time
};

struct SurveyBounds {
  size_t limit = 0;         // views; as many more may have been made, once for each loop
  absl::Duration patience;  // how long to wait
};

// Runs `ask` for each of `subjects` that still lives, on its loop, a turn of the loop for each, until there are enough
// views; what has no loop is asked here. Blocks, so not on a loop. Nobody is asked once this has returned, but for who
// is being asked at that moment; `ask` owns what it touches.
//
// `View` is one of those in call/views.h, and `ask` appends to `views`, which has none of other subjects, in order.
template <typename View>
using Ask = std::function<void(const Inspected& subject, uint64_t id, std::vector<View>& views)>;

template <typename View>
Findings<View> Survey(const std::vector<std::shared_ptr<const Listed>>& subjects, Ask<View> ask,
                      const SurveyBounds& bounds);

}  // namespace pagewire::call
