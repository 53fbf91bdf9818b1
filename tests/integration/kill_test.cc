// The other process dies: kill -9 in the middle of transfers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "integration/blob_service.h"

namespace pagewire::test {
namespace {

// A server in a process of its own (this program again, see main), so that it can be killed.
class ServerProcess {
 public:
  ServerProcess() {
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(pipe_fds[1], STDOUT_FILENO);
      execl("/proc/self/exe", "kill_test", "--serve", nullptr);
      _exit(127);
    }
    close(pipe_fds[1]);
    FILE* out = fdopen(pipe_fds[0], "r");
    if (fscanf(out, "%d", &port_) != 1) abort();
    fclose(out);
  }
  ~ServerProcess() { Kill(); }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  std::shared_ptr<Channel> MakeChannel() const {
    return CreateChannel("ipv4:127.0.0.1:" + std::to_string(port_), InsecureChannelCredentials());
  }

 private:
  pid_t pid_ = 0;
  int port_ = 0;
};

TEST(Kill, ServerDiesInTheMiddleOfTransfers) {
  constexpr int kCalls = 50;
  ServerProcess server;
  Blob::Stub stub(server.MakeChannel());
  ClientContext warm;
  ASSERT_TRUE(stub.Put(warm, BlobRequest(), MakePayload(1 << 20, 1)).ok());

  std::vector<char> memory(64 << 20, 'm');
  base::Mutex mutex;
  base::CondVar changed;
  int released = 0;
  int done = 0;
  int unavailable = 0;
  std::vector<std::unique_ptr<ClientContext>> contexts;
  for (int i = 0; i < kCalls; ++i) {
    contexts.push_back(std::make_unique<ClientContext>());
    BlobRequest request;
    request.set_sleep_ms(600'000);  // those that arrive whole never answer
    stub.Callback().Put(*contexts.back(), request,
                        Payload::FromExternal(memory.data(), memory.size(),
                                              [&] {
                                                base::MutexLock lock(mutex);
                                                ++released;
                                                changed.NotifyOne();
                                              }),
                        [&](absl::StatusOr<BlobReply> reply) {
                          base::MutexLock lock(mutex);
                          ++done;
                          unavailable += reply.status().code() == absl::StatusCode::kUnavailable;
                          changed.NotifyOne();
                        });
  }
  // Something must be on its way: a call that is answered proves that frames move in both directions.
  ClientContext between;
  ASSERT_TRUE(stub.Echo(between, BlobRequest()).ok());
  server.Kill();
  base::MutexLock lock(mutex);
  while (done < kCalls || released < kCalls) changed.Wait(mutex);
  EXPECT_EQ(unavailable, kCalls);
  EXPECT_EQ(released, kCalls);
}

TEST(Kill, ClientDiesAndItsReservationsComeBack) {
  BlobService service;
  ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  const pid_t client = fork();
  if (client == 0) {
    execl("/proc/self/exe", "kill_test", "--put", std::to_string(port).c_str(), nullptr);
    _exit(127);
  }
  while (HeldBytes() < 32 << 20) std::this_thread::yield();
  kill(client, SIGKILL);
  waitpid(client, nullptr, 0);
  while (HeldBytes() > 0) std::this_thread::yield();
  EXPECT_TRUE(Holders().empty());
}

int Serve() {
  static BlobService service;
  ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  if (!server.ok()) return 1;
  printf("%d\n", port);
  fflush(stdout);
  (*server)->Wait();
  return 0;
}

int PutForEver(const char* port) {
  Blob::Stub stub(CreateChannel(std::string("ipv4:127.0.0.1:") + port, InsecureChannelCredentials()));
  const Payload payload = MakePayload(32 << 20, 1);
  for (;;) {
    ClientContext context;
    BlobRequest request;
    request.set_sleep_ms(600'000);
    (void)stub.Put(context, request, payload);
  }
}

}  // namespace
}  // namespace pagewire::test

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--serve") return pagewire::test::Serve();
  if (argc == 3 && std::string(argv[1]) == "--put") return pagewire::test::PutForEver(argv[2]);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
