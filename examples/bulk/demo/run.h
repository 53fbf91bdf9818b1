// One run of the demo: every file put, got and removed, on one pair of paths.
#pragma once

#include <pagewire/channel.h>
#include <pagewire/payload.h>

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bulk.pagewire.h"
#include "bulk/demo/figures.h"
#include "bulk/demo/interrupt.h"
#include "bulk/demo/progress.h"
#include "bulk/demo/row.h"
#include "bulk/demo/server_process.h"
#include "bulk/demo/source_file.h"
#include "bulk/stopwatch.h"

namespace bulk::demo {

// Used from one thread, the one that made it.
//
// What is measured. Calls are made one after the other, so what the server does for a put or get is either moving the
// payload or the work on file and digest, which its reply tells:
//   wall        the calls of Put and Get and the release of the payloads, less the server's work
//   client CPU  the whole process, less this thread outside of calls, which is where it reads and hashes
//   server CPU  the whole process, less the server's work
class Run {
 public:
  // With a server of its own, over `store`. What the library or the server says against `row` is the error.
  static absl::StatusOr<std::unique_ptr<Run>> Start(const Row& row, const std::string& store, Interrupt& interrupt);

  // Content that differs is told on standard error and by Figures::verified. Errors: a call or a file that failed, and
  // CANCELLED after a signal.
  absl::StatusOr<Figures> Move(const std::vector<SourceFile>& files, Progress& progress);

 private:
  Run(const Row& row, std::unique_ptr<ServerProcess> server, Interrupt& interrupt);

  absl::Status Connect();
  absl::Status MoveOne(const SourceFile& file, const std::string& name, Progress& progress);
  absl::Status Put(const std::string& name, pagewire::Payload content, const std::string& digest);
  absl::Status Get(const std::string& name, const std::string& digest);
  absl::Status Remove(const std::string& name);

  // Runs `call` as part of the transfer.
  template <typename Call>
  auto Transfer(Call call) {
    const Stopwatch started;
    auto result = call();
    figures_.wall += started.wall();
    figures_.client_cpu += started.thread_cpu();
    return result;
  }
  void TakeOff(const Work& work);
  void Check(const std::string& what, const std::string& digest, const std::string& expected);

  const std::unique_ptr<ServerProcess> server_;
  Interrupt& interrupt_;
  Blobs::Stub stub_;
  Figures figures_;
};

}  // namespace bulk::demo
