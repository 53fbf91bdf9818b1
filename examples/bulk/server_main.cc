// bulk-server: serves the blobs of a directory.
#include <getopt.h>
#include <pagewire/pagewire.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <string>

#include "bulk/blob_service.h"
#include "bulk/blob_store.h"
#include "bulk/fd.h"
#include "bulk/paths_option.h"

namespace {

constexpr char kUsage[] =
    "bulk-server --store DIRECTORY [options]\n"
    "Serves the blobs of DIRECTORY, which is made if it does not exist.\n"
    "  --listen ADDRESS     host:port, [::1]:port or unix:/path; port 0 takes a free one (127.0.0.1:7071)\n"
    "  --send-path PATH     auto, copy, zerocopy, fixed, splice or file (auto)\n"
    "  --receive-path PATH  auto, copy or map (auto)\n"
    "Says \"listening on PORT\" once it does. SIGTERM and SIGINT end it after the calls in flight, or after 10 s.\n";

// How long calls in flight may take after SIGTERM.
constexpr absl::Duration kGrace = absl::Seconds(10);

struct Options {
  std::string listen = "127.0.0.1:7071";
  std::string store;
  bulk::Paths paths;
};

int Fail(const absl::Status& status) {
  std::cerr << "bulk-server: " << status << '\n';
  return 1;
}

[[noreturn]] void UsageError(const std::string& what) {
  std::cerr << "bulk-server: " << what << '\n' << kUsage;
  std::exit(2);
}

Options ParseOptions(int argc, char** argv) {
  static constexpr option kOptions[] = {{"listen", required_argument, nullptr, 'l'},
                                        {"store", required_argument, nullptr, 's'},
                                        {"send-path", required_argument, nullptr, 'S'},
                                        {"receive-path", required_argument, nullptr, 'R'},
                                        {"help", no_argument, nullptr, 'h'},
                                        {}};
  Options options;
  absl::Status status;
  for (int option; status.ok() && (option = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (option) {
      case 'l':
        options.listen = optarg;
        break;
      case 's':
        options.store = optarg;
        break;
      case 'S':
        status = bulk::SetSendPath(optarg, options.paths);
        break;
      case 'R':
        status = bulk::SetReceivePath(optarg, options.paths);
        break;
      case 'h':
        std::cout << kUsage;
        std::exit(0);
      default:
        UsageError("see the options");
    }
  }
  if (!status.ok()) UsageError(std::string(status.message()));
  if (optind < argc) UsageError(std::string("unexpected argument ") + argv[optind]);
  if (options.store.empty()) UsageError("--store is missing");
  return options;
}

// Blocks the signals that end the server; they are read from the result instead. Must be called before any thread
// starts, because threads inherit what is blocked.
bulk::Fd BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return bulk::Fd(signalfd(-1, &signals, SFD_CLOEXEC));
}

void WaitForSignal(const bulk::Fd& signals) {
  signalfd_siginfo info;
  while (read(signals.get(), &info, sizeof info) < 0 && errno == EINTR) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  const bulk::Fd signals = BlockEndSignals();
  if (!signals.valid()) return Fail(absl::ErrnoToStatus(errno, "cannot make a signalfd"));

  absl::StatusOr<std::unique_ptr<bulk::BlobStore>> store = bulk::BlobStore::Open(options.store);
  if (!store.ok()) return Fail(store.status());
  bulk::BlobService service(**store);

  pagewire::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.listen, pagewire::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  builder.SetSendPath(options.paths.send);
  builder.SetReceivePath(options.paths.receive);
  absl::StatusOr<std::unique_ptr<pagewire::Server>> server = builder.BuildAndStart();
  if (!server.ok()) return Fail(server.status());

  std::cout << "listening on " << (port > 0 ? std::to_string(port) : options.listen) << std::endl;
  WaitForSignal(signals);
  (*server)->Shutdown(absl::Now() + kGrace);
}
