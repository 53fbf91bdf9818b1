// A server's registration, in a process that a test can kill: registrar <endpoint> <service> <address> <seconds>
#include <pagewire/etcd.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  pagewire::EtcdOptions options;
  options.endpoints = {argv[1]};
  options.timeout = absl::Seconds(20);
  const auto entry = pagewire::EtcdRegistration::Register(options, argv[2], argv[3], absl::Seconds(std::atoi(argv[4])));
  if (!entry.ok()) {
    std::fprintf(stderr, "%s\n", entry.status().ToString().c_str());
    return 1;
  }
  for (;;) pause();
}
