// Which paths a run of the demo takes.
#pragma once

#include <pagewire/paths.h>

#include <optional>
#include <string>
#include <vector>

namespace bulk::demo {

// Both sides are told to send and to receive like this.
struct Row {
  pagewire::SendPath send = pagewire::SendPath::kAuto;
  pagewire::ReceivePath receive = pagewire::ReceivePath::kAuto;
};

// The rows of the table, narrowed to the paths given. Paths that no row has make a row of their own, in which a path
// not given is `auto`.
std::vector<Row> ChooseRows(std::optional<pagewire::SendPath> send, std::optional<pagewire::ReceivePath> receive);

// "copy/copy".
std::string LabelOf(const Row& row);

}  // namespace bulk::demo
