// hello-client [NAME [HOST:PORT]]
#include <pagewire/pagewire.h>

#include <iostream>

#include "hello.pagewire.h"

int main(int argc, char** argv) {
  hello::Greeter::Stub stub(
      pagewire::CreateChannel(argc > 2 ? argv[2] : "127.0.0.1:7070", pagewire::InsecureChannelCredentials()));
  hello::GreetRequest request;
  request.set_name(argc > 1 ? argv[1] : "world");
  pagewire::ClientContext context;
  context.set_timeout(absl::Seconds(5));
  absl::StatusOr<hello::GreetReply> reply = stub.Greet(context, request);
  if (!reply.ok()) {
    std::cerr << "hello-client: " << reply.status() << '\n';
    return 1;
  }
  std::cout << reply->greeting() << '\n';
}
