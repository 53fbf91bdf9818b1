// hello-server [HOST:PORT]
#include <pagewire/pagewire.h>

#include <iostream>
#include <memory>

#include "hello.pagewire.h"

class GreeterService final : public hello::Greeter::Service {
  absl::StatusOr<hello::GreetReply> Greet(pagewire::ServerContext&, const hello::GreetRequest& request) override {
    hello::GreetReply reply;
    reply.set_greeting("Hello, " + request.name() + "!");
    return reply;
  }
};

int main(int argc, char** argv) {
  GreeterService service;
  pagewire::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(argc > 1 ? argv[1] : "127.0.0.1:7070", pagewire::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  absl::StatusOr<std::unique_ptr<pagewire::Server>> server = builder.BuildAndStart();
  if (!server.ok()) {
    std::cerr << "hello-server: " << server.status() << '\n';
    return 1;
  }
  std::cout << "listening on " << port << std::endl;
  (*server)->Wait();
}
