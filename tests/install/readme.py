"""The code in README.md is what it says: it builds against the installed package and runs."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

_PREAMBLE = "cmake_minimum_required(VERSION 3.25)\nproject(readme LANGUAGES CXX)\n"

_INCLUDES = """
#include <pagewire/pagewire.h>
#include <algorithm>
#include <cstring>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include "archive.pagewire.h"
#include "store.pagewire.h"
"""

# Puts 1000 bytes, once and three times, counts the entries, copies ten million bytes piecewise; puts the bytes over
# TLS, and is not let into List.
_MAIN = r"""
class SafeStore final : public store::Store::Service {
  absl::StatusOr<store::PutReply> Put(pagewire::ServerContext&, const store::PutRequest&,
                                      pagewire::Payload payload) override {
    store::PutReply reply;
    reply.set_size(payload.size());
    return reply;
  }
};

template <typename Service>
std::unique_ptr<pagewire::Server> Serve(Service& service, int& port) {
  pagewire::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", pagewire::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  return *builder.BuildAndStart();
}

std::unique_ptr<store::Store::Stub> StubFor(int port) {
  return std::make_unique<store::Store::Stub>(pagewire::CreateChannel("ipv4:127.0.0.1:" + std::to_string(port),
                                                                      pagewire::InsecureChannelCredentials()));
}

std::string PutAndListSafely(store::Store::Service& service, const std::string& folder,
                             const pagewire::Payload& payload) {
  int port = 0;
  const auto server = ServeSafely(service, folder, &port);
  if (!server.ok()) return server.status().ToString();
  const auto channel = ConnectSafely("ipv4:127.0.0.1:" + std::to_string(port), folder);
  if (!channel.ok()) return channel.status().ToString();
  store::Store::Stub stub(*channel);
  pagewire::ClientContext put_context;
  const auto reply = stub.Put(put_context, store::PutRequest(), payload);
  if (!reply.ok()) return reply.status().ToString();
  pagewire::ClientContext list_context;
  const absl::Status listed = stub.List(list_context, store::ListRequest())->Finish();
  return std::to_string(reply->size()) + " " + absl::StatusCodeToString(listed.code());
}

int main(int, char** arguments) {
  pagewire::ServerBuilder watched;
  const auto admin = Watch(watched, "127.0.0.1:0");
  const auto watched_server = watched.BuildAndStart();
  if (!admin.ok() || !watched_server.ok()) return 1;
  ArchiveImpl archive;
  int archive_port = 0;
  const auto archive_server = Serve(archive, archive_port);
  archive::Archive::Stub archive_stub(pagewire::CreateChannel("ipv4:127.0.0.1:" + std::to_string(archive_port),
                                                              pagewire::InsecureChannelCredentials()));
  CallbackStore callback_store;
  CoStore co_store;
  int callback_port = 0;
  int co_port = 0;
  ArenaStore arena_store;
  int arena_port = 0;
  const auto arena_server = Serve(arena_store, arena_port);
  const auto callback_server = Serve(callback_store, callback_port);
  const auto co_server = Serve(co_store, co_port);
  const auto callback_stub = StubFor(callback_port);
  const auto co_stub = StubFor(co_port);
  std::promise<uint64_t> size;
  const auto payload = pagewire::Payload::FromCord(absl::Cord(std::string(1000, 'x')));
  PutWithoutWaiting(*callback_stub, payload, [&](uint64_t bytes) { size.set_value(bytes); });
  std::cout << size.get_future().get() << " " << *PutMany(*StubFor(arena_port), 3, payload) << " "
            << *pagewire::Wait(CountEntries(*co_stub)) << " "
            << *CopyThrough(archive_stub, 10'000'000) << " ";
  store::Store::Stub spread(SpreadOver("ipv4:127.0.0.1:" + std::to_string(arena_port)));
  std::cout << *PutMany(spread, 2, payload) << "\n";
  SafeStore safe_store;
  std::cout << PutAndListSafely(safe_store, arguments[1], payload) << "\n";
}
"""


# A server that may be asked, and keeps what it is put; and a program that asks it.
_ADMIN_MAIN = r"""
class KeepingStore final : public store::Store::Service {
  absl::StatusOr<store::PutReply> Put(pagewire::ServerContext&, const store::PutRequest&,
                                      pagewire::Payload payload) override {
    kept_ = std::move(payload);
    return store::PutReply();
  }
  pagewire::Payload kept_;
};

int main(int, char** arguments) {
  KeepingStore store;
  pagewire::AdminService admin;
  pagewire::ServerBuilder builder;
  builder.AddListeningPort(arguments[1], pagewire::InsecureServerCredentials()).RegisterService(&store);
  if (const absl::Status status = ServeAdmin(builder, admin, arguments[2]); !status.ok()) return 1;
  const auto server = builder.BuildAndStart();
  if (!server.ok()) return 1;
  store::Store::Stub stub(pagewire::CreateChannel(arguments[1], pagewire::InsecureChannelCredentials()));
  pagewire::ClientContext context;
  const auto payload = pagewire::Payload::FromCord(absl::Cord(std::string(1'000'000, 'x')));
  if (!stub.Put(context, store::PutRequest(), payload).ok()) return 1;
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);  // until who started this has asked
}
"""
_WHO_MAIN = r"""
int main(int, char** arguments) {
  const absl::Status status = PrintWhoHoldsFor(
      pagewire::CreateChannel(arguments[1], pagewire::InsecureChannelCredentials()), absl::ZeroDuration());
  std::cout << status.ToString() << "\n";
}
"""
_WHO_INCLUDES = "#include <pagewire/pagewire.h>\n#include <iostream>\n#include <memory>\n#include <utility>\n"


def _block(readme, language, having):
    """The first code block of that language with `having` in it."""
    for block in re.findall(rf"^```{language}\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL):
        if having in block:
            return block
    raise SystemExit(f"README.md has no {language} block with {having!r}")


def _run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def _make_certificates(folder):
    """An authority, and what it has issued to a server and a client."""
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    _run("openssl", "req", "-x509", *new_key, "-subj", "/CN=authority", "-keyout", folder / "ca.key",
         "-out", folder / "ca.pem")
    for name, dns in (("server", "store.example"), ("client", "one.workers.example")):
        _run("openssl", "req", "-x509", *new_key, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{dns}", "-addext", "basicConstraints=CA:FALSE",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")


def _ask_who_holds(build, folder):
    """What the program that asks prints, about a server that holds a payload."""
    address = f"unix:{folder / 'socket'}"
    policy = folder / "operators.json"
    policy.write_text('{"name": "operators", "allow_rules": [{"name": "we", "source": {"principals": ["uid:%d"]}}]}'
                      % os.getuid())
    with subprocess.Popen([build / "kept", address, policy], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as server:
        ready = server.stdout.readline()
        said = _run(build / "who", address) if ready == "ready\n" else f"the server said {ready!r}"
        server.stdin.close()
    return said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    options = parser.parse_args()
    readme = (options.source / "README.md").read_text()
    with tempfile.TemporaryDirectory(prefix="pagewire-readme-") as scratch:
        scratch = pathlib.Path(scratch)
        project = scratch / "project"
        project.mkdir()
        (project / "store.proto").write_text(_block(readme, "proto", "service Store"))
        (project / "archive.proto").write_text(_block(readme, "proto", "service Archive"))
        (project / "CMakeLists.txt").write_text(
            _PREAMBLE + _block(readme, "cmake", "find_package")
            + "add_executable(forms forms.cc)\npagewire_generate(TARGET forms PROTOS archive.proto store.proto)\n"
            "target_link_libraries(forms PRIVATE pagewire::admin)\n"
            "add_executable(kept kept.cc)\npagewire_generate(TARGET kept PROTOS store.proto)\n"
            "target_link_libraries(kept PRIVATE pagewire::admin_service)\n" + _block(readme, "cmake", "admin.proto"))
        (project / "kept.cc").write_text(_WHO_INCLUDES + '#include "store.pagewire.h"\n'
                                         + _block(readme, "cpp", "ServeAdmin") + _ADMIN_MAIN)
        (project / "who.cc").write_text(_WHO_INCLUDES + _block(readme, "cpp", "PrintWhoHoldsFor") + _WHO_MAIN)
        (project / "app.cc").write_text(_block(readme, "cpp", "int main"))
        (project / "forms.cc").write_text(_INCLUDES + _block(readme, "cpp", "CoStore")
                                          + _block(readme, "cpp", "CallbackStore")
                                          + _block(readme, "cpp", "ArenaStore")
                                          + _block(readme, "cpp", "ArchiveImpl")
                                          + _block(readme, "cpp", "AdminServer")
                                          + _block(readme, "cpp", "SpreadOver")
                                          + _block(readme, "cpp", "ServeSafely") + _MAIN)
        safe = scratch / "safe"
        safe.mkdir()
        (safe / "policy.json").write_text(_block(readme, "json", "allow_rules"))
        _make_certificates(safe)
        _run(options.cmake, "--install", options.build, "--prefix", scratch / "prefix")
        _run(options.cmake, "-G", "Ninja", "-S", project, "-B", scratch / "build",
             f"-DCMAKE_PREFIX_PATH={scratch / 'prefix'}", f"-DCMAKE_CXX_COMPILER={options.compiler}")
        _run(options.cmake, "--build", scratch / "build")
        output = _run(scratch / "build/app")
        forms = _run(scratch / "build/forms", safe)
        who = _ask_who_holds(scratch / "build", safe)
    print(output)
    print(forms)
    print(who)
    right = output.startswith(f"{64 << 20}\n") and forms == "1000 3000 3 10000000 2000\n1000 PERMISSION_DENIED\n"
    right = right and "1000000 bytes by /store.Store/Put from unix:" in who and who.endswith("OK\n")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
