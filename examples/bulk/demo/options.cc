#include "bulk/demo/options.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <getopt.h>

#include <iostream>

#include "bulk/paths_option.h"

namespace bulk::demo {
namespace {

constexpr char kUsage[] =
    "pagewire-demo [options]\n"
    "Puts real files of this machine into a bulk-server of its own, gets them back, and verifies every byte.\n"
    "  --size SIZE          bytes to move, puts plus gets: 64M, 2G, or plain bytes (2G; at least 1M)\n"
    "  --send-path PATH     auto, copy, zerocopy, fixed, splice or file: only this one\n"
    "  --receive-path PATH  auto, copy or map: only this one\n"
    "  --json FILE          writes the figures to FILE as well\n";

constexpr uint64_t kSmallest = uint64_t{1} << 20;
constexpr uint64_t kLargest = uint64_t{1} << 50;

[[noreturn]] void UsageError(const absl::Status& status) {
  std::cerr << "pagewire-demo: " << std::string(status.message()) << '\n' << kUsage;
  std::exit(2);
}

int ShiftOf(char suffix) {
  switch (suffix) {
    case 'K':
      return 10;
    case 'M':
      return 20;
    case 'G':
      return 30;
    default:
      return 0;
  }
}

}  // namespace

absl::StatusOr<uint64_t> ParseSize(const std::string& text) {
  const int shift = text.empty() ? 0 : ShiftOf(text.back());
  uint64_t number = 0;
  if (!absl::SimpleAtoi(text.substr(0, text.size() - (shift > 0 ? 1 : 0)), &number)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no size; use a number, or one with K, M or G"));
  }
  if (number > kLargest >> shift || number << shift < kSmallest) {
    return absl::InvalidArgumentError(absl::StrCat("size ", text, " is not within 1M and ", kLargest >> 30, "G"));
  }
  return number << shift;
}

Options ParseOptions(int argc, char** argv) {
  static constexpr option kOptions[] = {{"size", required_argument, nullptr, 's'},
                                        {"send-path", required_argument, nullptr, 'S'},
                                        {"receive-path", required_argument, nullptr, 'R'},
                                        {"json", required_argument, nullptr, 'j'},
                                        {"help", no_argument, nullptr, 'h'},
                                        {}};
  Options options;
  Paths paths;
  std::optional<pagewire::SendPath> send;
  std::optional<pagewire::ReceivePath> receive;
  absl::Status status;
  for (int option; status.ok() && (option = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (option) {
      case 's': {
        const absl::StatusOr<uint64_t> size = ParseSize(optarg);
        status = size.status();
        options.size = size.value_or(0);
        break;
      }
      case 'S':
        status = SetSendPath(optarg, paths);
        send = paths.send;
        break;
      case 'R':
        status = SetReceivePath(optarg, paths);
        receive = paths.receive;
        break;
      case 'j':
        options.json_file = optarg;
        break;
      case 'h':
        std::cout << kUsage;
        std::exit(0);
      default:
        status = absl::InvalidArgumentError("see the options");
    }
  }
  if (status.ok() && optind < argc) {
    status = absl::InvalidArgumentError(absl::StrCat("unexpected argument ", argv[optind]));
  }
  if (!status.ok()) UsageError(status);
  options.rows = ChooseRows(send, receive);
  return options;
}

}  // namespace bulk::demo
