#include "bulk/demo/run.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "bulk/digest.h"
#include "bulk/file_io.h"

namespace bulk::demo {
namespace {

constexpr size_t kReadBytes = 1 << 20;

std::shared_ptr<pagewire::Channel> ChannelTo(const ServerProcess& server, const Row& row) {
  pagewire::ChannelOptions options;
  options.send_path = row.send;
  options.receive_path = row.receive;
  return pagewire::CreateCustomChannel(server.target(), pagewire::InsecureChannelCredentials(), options);
}

// By a way of its own, not by the memory that is sent.
absl::StatusOr<std::string> DigestOfFile(int fd) {
  Digest digest;
  std::vector<char> buffer(kReadBytes);
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "cannot read the file");
    if (got == 0) return digest.Hex();
    digest.Update({buffer.data(), static_cast<size_t>(got)});
  }
}

absl::Status Annotate(const absl::Status& status, const std::string& what) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

// CPU time of the threads that are not this one.
absl::Duration OtherThreadsCpu() { return ClockTime(CLOCK_PROCESS_CPUTIME_ID) - ClockTime(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace

absl::StatusOr<std::unique_ptr<Run>> Run::Start(const Row& row, const std::string& store, Interrupt& interrupt) {
  absl::StatusOr<std::unique_ptr<ServerProcess>> server = ServerProcess::Start(store, row);
  if (!server.ok()) return std::move(server).status();
  std::unique_ptr<Run> run(new Run(row, *std::move(server), interrupt));
  if (absl::Status status = run->Connect(); !status.ok()) return status;
  return run;
}

Run::Run(const Row& row, std::unique_ptr<ServerProcess> server, Interrupt& interrupt)
    : server_(std::move(server)), interrupt_(interrupt), stub_(ChannelTo(*server_, row)) {
  figures_.row = row;
}

absl::Status Run::Connect() {
  pagewire::ClientContext context;
  const Interrupt::Watch watch(interrupt_, context);
  return stub_.List(context, ListRequest()).status();
}

absl::StatusOr<Figures> Run::Move(const std::vector<SourceFile>& files, Progress& progress) {
  const absl::Duration server_cpu = server_->cpu();
  const absl::Duration other_threads_cpu = OtherThreadsCpu();
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string base = files[i].path.substr(files[i].path.rfind('/') + 1);
    absl::Status status = MoveOne(files[i], absl::StrCat(i, "-", base.substr(0, 200)), progress);
    if (!status.ok()) return Annotate(status, files[i].path);
  }
  figures_.client_cpu += OtherThreadsCpu() - other_threads_cpu;
  figures_.server_cpu += server_->cpu() - server_cpu;
  return figures_;
}

absl::Status Run::MoveOne(const SourceFile& file, const std::string& name, Progress& progress) {
  const Fd fd(open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "cannot open the file");
  progress.Doing(absl::StrCat("read ", name));
  const absl::StatusOr<std::string> digest = DigestOfFile(fd.get());
  if (!digest.ok()) return digest.status();
  absl::StatusOr<pagewire::Payload> content = ReadPayload(fd.get());
  if (!content.ok()) return std::move(content).status();

  const uint64_t size = content->size();
  progress.Doing(absl::StrCat("put ", name));
  if (absl::Status status = Put(name, *std::move(content), *digest); !status.ok()) return status;
  progress.Done(size);
  progress.Doing(absl::StrCat("get ", name));
  if (absl::Status status = Get(name, *digest); !status.ok()) return status;
  progress.Done(size);
  return Remove(name);
}

absl::Status Run::Put(const std::string& name, pagewire::Payload content, const std::string& digest) {
  PutRequest request;
  request.set_name(name);
  pagewire::ClientContext context;
  const Interrupt::Watch watch(interrupt_, context);
  const absl::StatusOr<PutReply> reply = Transfer([&] { return stub_.Put(context, request, std::move(content)); });
  if (!reply.ok()) return Annotate(reply.status(), "put");
  TakeOff(reply->work());
  figures_.AddPut(context.transfer_report().sent);
  Check(absl::StrCat("what the server received of ", name), reply->digest(), digest);
  return absl::OkStatus();
}

absl::Status Run::Get(const std::string& name, const std::string& digest) {
  GetRequest request;
  request.set_name(name);
  pagewire::ClientContext context;
  const Interrupt::Watch watch(interrupt_, context);
  absl::StatusOr<pagewire::WithPayload<GetReply>> got = Transfer([&] { return stub_.Get(context, request); });
  if (!got.ok()) return Annotate(got.status(), "get");
  TakeOff(got->message.work());
  figures_.AddGet(context.transfer_report().received);
  Check(absl::StrCat("what the server sent of ", name), got->message.digest(), digest);
  Check(absl::StrCat("what the client received of ", name), DigestOf(got->payload), digest);
  Transfer([&] { return std::exchange(got->payload, pagewire::Payload()).size(); });
  return absl::OkStatus();
}

absl::Status Run::Remove(const std::string& name) {
  RemoveRequest request;
  request.set_name(name);
  pagewire::ClientContext context;
  const Interrupt::Watch watch(interrupt_, context);
  const absl::StatusOr<RemoveReply> reply = stub_.Remove(context, request);
  if (!reply.ok()) return Annotate(reply.status(), "remove");
  figures_.server_cpu -= absl::Nanoseconds(reply->work().cpu_ns());
  return absl::OkStatus();
}

void Run::TakeOff(const Work& work) {
  figures_.wall -= absl::Nanoseconds(work.wall_ns());
  figures_.server_cpu -= absl::Nanoseconds(work.cpu_ns());
}

void Run::Check(const std::string& what, const std::string& digest, const std::string& expected) {
  if (digest == expected) return;
  figures_.verified = false;
  std::cerr << "pagewire-demo: " << what << " has digest " << digest << ", the file has " << expected << '\n';
}

}  // namespace bulk::demo
