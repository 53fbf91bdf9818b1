// pagewire-demo: moves real files between two processes and verifies every byte.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <vector>

#include "bulk/demo/corpus.h"
#include "bulk/demo/figures.h"
#include "bulk/demo/interrupt.h"
#include "bulk/demo/json.h"
#include "bulk/demo/machine.h"
#include "bulk/demo/options.h"
#include "bulk/demo/progress.h"
#include "bulk/demo/row.h"
#include "bulk/demo/run.h"
#include "bulk/demo/table.h"
#include "bulk/demo/temp_dir.h"

namespace bulk::demo {
namespace {

constexpr int kInterruptedStatus = 130;  // as shells report SIGINT

absl::StatusOr<std::vector<SourceFile>> Prepare(uint64_t total, const std::string& directory) {
  const Room room = MeasureRoom(directory);
  if (room.largest_file < WantedBigFileBytes(total)) {
    std::cerr << "pagewire-demo: the big file has " << (room.largest_file >> 20) << " MiB instead of "
              << (WantedBigFileBytes(total) >> 20) << ", because of " << room.limit << '\n';
  }
  return MakeCorpus(total, room, directory);
}

absl::StatusOr<std::vector<Figures>> Demonstrate(const Options& options, Interrupt& interrupt) {
  absl::StatusOr<TempDir> directory = TempDir::Make();
  if (!directory.ok()) return std::move(directory).status();
  const uint64_t total = (options.size + 1) / 2;  // each file is moved twice
  const absl::StatusOr<std::vector<SourceFile>> files = Prepare(total, directory->path());
  if (!files.ok()) return files.status();
  std::vector<Figures> runs;
  for (const Row& row : options.rows) {
    absl::StatusOr<std::unique_ptr<Run>> run = Run::Start(row, directory->path() + "/store", interrupt);
    if (!run.ok()) return std::move(run).status();
    Progress progress(LabelOf(row), 2 * total);
    absl::StatusOr<Figures> figures = (*run)->Move(*files, progress);
    if (!figures.ok()) return std::move(figures).status();
    runs.push_back(*std::move(figures));
  }
  return runs;
}

int Main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  Interrupt interrupt;
  std::ofstream json;
  if (!options.json_file.empty()) {
    json.open(options.json_file);  // now, rather than after all the work
    if (!json) {
      std::cerr << "pagewire-demo: cannot write " << options.json_file << '\n';
      return 1;
    }
  }
  const absl::StatusOr<std::vector<Figures>> runs = Demonstrate(options, interrupt);
  if (interrupt.requested()) {
    std::cerr << "pagewire-demo: interrupted\n";
    return kInterruptedStatus;
  }
  if (!runs.ok()) {
    std::cerr << "pagewire-demo: " << runs.status() << '\n';
    return 1;
  }
  PrintTable(*runs, std::cout);
  if (!options.json_file.empty() && !(json << ToJson(*runs) << std::flush)) {
    std::cerr << "pagewire-demo: cannot write " << options.json_file << '\n';
    return 1;
  }
  return std::all_of(runs->begin(), runs->end(), [](const Figures& run) { return run.verified; }) ? 0 : 1;
}

}  // namespace
}  // namespace bulk::demo

int main(int argc, char** argv) { return bulk::demo::Main(argc, argv); }
