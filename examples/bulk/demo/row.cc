#include "bulk/demo/row.h"

#include <array>

namespace bulk::demo {
namespace {

using pagewire::ReceivePath;
using pagewire::SendPath;

// What a demo without options shows.
constexpr std::array kRows = {Row{SendPath::kCopy, ReceivePath::kCopy}, Row{SendPath::kZerocopy, ReceivePath::kMap},
                              Row{SendPath::kAuto, ReceivePath::kAuto}};

}  // namespace

std::vector<Row> ChooseRows(std::optional<SendPath> send, std::optional<ReceivePath> receive) {
  std::vector<Row> chosen;
  for (const Row& row : kRows) {
    if (send.value_or(row.send) == row.send && receive.value_or(row.receive) == row.receive) chosen.push_back(row);
  }
  if (chosen.empty()) chosen.push_back({send.value_or(SendPath::kAuto), receive.value_or(ReceivePath::kAuto)});
  return chosen;
}

std::string LabelOf(const Row& row) {
  return std::string(pagewire::SendPathName(row.send)) + "/" + std::string(pagewire::ReceivePathName(row.receive));
}

}  // namespace bulk::demo
