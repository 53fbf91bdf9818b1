// bulk-client: puts, gets and looks after blobs.
#include <fcntl.h>
#include <getopt.h>
#include <pagewire/pagewire.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <cerrno>
#include <iostream>
#include <string>
#include <vector>

#include "bulk.pagewire.h"
#include "bulk/digest.h"
#include "bulk/fd.h"
#include "bulk/file_io.h"
#include "bulk/paths_option.h"

namespace bulk {
namespace {

constexpr char kUsage[] =
    "bulk-client [options] COMMAND\n"
    "  put FILE [NAME]      stores FILE; NAME is its last part if not given\n"
    "  get NAME FILE        writes a blob to FILE\n"
    "  ls                   lists size, time and name of all blobs\n"
    "  stat NAME            the same for one\n"
    "  rm NAME              removes a blob\n"
    "  --server TARGET      ipv4:host:port, ipv6:[host]:port, unix:/path or host:port (127.0.0.1:7071)\n"
    "  --send-path PATH     auto, copy, zerocopy, fixed, splice or file (auto)\n"
    "  --receive-path PATH  auto, copy or map (auto)\n";

absl::Status CheckDigest(const std::string& ours, const std::string& theirs) {
  if (ours == theirs) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the content has digest ", ours, " here and ", theirs, " at the server"));
}

absl::Status Put(Blobs::Stub& stub, const std::string& path, const std::string& name) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  absl::StatusOr<pagewire::Payload> content = ReadPayload(file.get());
  if (!content.ok()) return std::move(content).status();

  PutRequest request;
  request.set_name(name);
  request.set_digest(DigestOf(*content));
  pagewire::ClientContext context;
  absl::StatusOr<PutReply> reply = stub.Put(context, request, *std::move(content));
  if (!reply.ok()) return std::move(reply).status();
  std::cout << request.digest() << "  " << context.transfer_report().sent.ToString() << '\n';
  return CheckDigest(request.digest(), reply->digest());
}

absl::Status Get(Blobs::Stub& stub, const std::string& name, const std::string& path) {
  GetRequest request;
  request.set_name(name);
  pagewire::ClientContext context;
  absl::StatusOr<pagewire::WithPayload<GetReply>> got = stub.Get(context, request);
  if (!got.ok()) return std::move(got).status();
  const std::string digest = DigestOf(got->payload);
  if (absl::Status status = CheckDigest(digest, got->message.digest()); !status.ok()) return status;

  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.valid()) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  std::cout << digest << "  " << context.transfer_report().received.ToString() << '\n';
  return WritePayload(file.get(), got->payload);
}

void Print(const BlobInfo& blob) {
  const absl::Time modified =
      absl::FromUnixSeconds(blob.modified().seconds()) + absl::Nanoseconds(blob.modified().nanos());
  std::cout << blob.size() << '\t' << absl::FormatTime("%Y-%m-%d %H:%M:%S", modified, absl::LocalTimeZone()) << '\t'
            << absl::CHexEscape(blob.name()) << '\n';
}

absl::Status List(Blobs::Stub& stub) {
  ListRequest request;
  while (true) {
    pagewire::ClientContext context;
    absl::StatusOr<ListReply> reply = stub.List(context, request);
    if (!reply.ok()) return std::move(reply).status();
    for (const BlobInfo& blob : reply->blobs()) Print(blob);
    if (!reply->more() || reply->blobs().empty()) return absl::OkStatus();
    request.set_after(reply->blobs().rbegin()->name());
  }
}

absl::Status Stat(Blobs::Stub& stub, const std::string& name) {
  StatRequest request;
  request.set_name(name);
  pagewire::ClientContext context;
  absl::StatusOr<StatReply> reply = stub.Stat(context, request);
  if (!reply.ok()) return std::move(reply).status();
  Print(reply->blob());
  return absl::OkStatus();
}

absl::Status Remove(Blobs::Stub& stub, const std::string& name) {
  RemoveRequest request;
  request.set_name(name);
  pagewire::ClientContext context;
  return stub.Remove(context, request).status();
}

[[noreturn]] void UsageError(const std::string& what) {
  std::cerr << "bulk-client: " << what << '\n' << kUsage;
  std::exit(2);
}

struct Options {
  std::string server = "127.0.0.1:7071";
  Paths paths;
  std::vector<std::string> command;  // and its arguments
};

Options ParseOptions(int argc, char** argv) {
  static constexpr option kOptions[] = {{"server", required_argument, nullptr, 's'},
                                        {"send-path", required_argument, nullptr, 'S'},
                                        {"receive-path", required_argument, nullptr, 'R'},
                                        {"help", no_argument, nullptr, 'h'},
                                        {}};
  Options options;
  absl::Status status;
  for (int option; status.ok() && (option = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (option) {
      case 's':
        options.server = optarg;
        break;
      case 'S':
        status = SetSendPath(optarg, options.paths);
        break;
      case 'R':
        status = SetReceivePath(optarg, options.paths);
        break;
      case 'h':
        std::cout << kUsage;
        std::exit(0);
      default:
        UsageError("see the options");
    }
  }
  if (!status.ok()) UsageError(std::string(status.message()));
  options.command.assign(argv + optind, argv + argc);
  return options;
}

absl::Status Run(Blobs::Stub& stub, const std::vector<std::string>& command) {
  const std::string verb = command.empty() ? "" : command[0];
  const size_t arguments = command.empty() ? 0 : command.size() - 1;
  if (verb == "put" && arguments == 1) return Put(stub, command[1], command[1].substr(command[1].rfind('/') + 1));
  if (verb == "put" && arguments == 2) return Put(stub, command[1], command[2]);
  if (verb == "get" && arguments == 2) return Get(stub, command[1], command[2]);
  if (verb == "ls" && arguments == 0) return List(stub);
  if (verb == "stat" && arguments == 1) return Stat(stub, command[1]);
  if (verb == "rm" && arguments == 1) return Remove(stub, command[1]);
  UsageError(verb.empty() ? "which command?" : "unknown command, or wrong number of arguments: " + verb);
}

}  // namespace
}  // namespace bulk

int main(int argc, char** argv) {
  const bulk::Options options = bulk::ParseOptions(argc, argv);
  pagewire::ChannelOptions channel_options;
  channel_options.send_path = options.paths.send;
  channel_options.receive_path = options.paths.receive;
  bulk::Blobs::Stub stub(
      pagewire::CreateCustomChannel(options.server, pagewire::InsecureChannelCredentials(), channel_options));
  const absl::Status status = bulk::Run(stub, options.command);
  if (!status.ok()) {
    std::cerr << "bulk-client: " << status << '\n';
    return 1;
  }
}
