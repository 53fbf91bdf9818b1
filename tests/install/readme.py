"""The code in README.md is what it says: it builds against the installed package and runs."""

import argparse
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
#include "archive.pagewire.h"
#include "store.pagewire.h"
"""

# Puts 1000 bytes, counts the entries, copies ten million bytes piecewise.
_MAIN = r"""
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

int main() {
  ArchiveImpl archive;
  int archive_port = 0;
  const auto archive_server = Serve(archive, archive_port);
  archive::Archive::Stub archive_stub(pagewire::CreateChannel("ipv4:127.0.0.1:" + std::to_string(archive_port),
                                                              pagewire::InsecureChannelCredentials()));
  CallbackStore callback_store;
  CoStore co_store;
  int callback_port = 0;
  int co_port = 0;
  const auto callback_server = Serve(callback_store, callback_port);
  const auto co_server = Serve(co_store, co_port);
  const auto callback_stub = StubFor(callback_port);
  const auto co_stub = StubFor(co_port);
  std::promise<uint64_t> size;
  PutWithoutWaiting(*callback_stub, pagewire::Payload::FromCord(absl::Cord(std::string(1000, 'x'))),
                    [&](uint64_t bytes) { size.set_value(bytes); });
  std::cout << size.get_future().get() << " " << *pagewire::Wait(CountEntries(*co_stub)) << " "
            << *CopyThrough(archive_stub, 10'000'000) << "\n";
}
"""


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
            + "add_executable(forms forms.cc)\npagewire_generate(TARGET forms PROTOS archive.proto store.proto)\n")
        (project / "app.cc").write_text(_block(readme, "cpp", "int main"))
        (project / "forms.cc").write_text(_INCLUDES + _block(readme, "cpp", "CoStore")
                                          + _block(readme, "cpp", "CallbackStore")
                                          + _block(readme, "cpp", "ArchiveImpl") + _MAIN)
        _run(options.cmake, "--install", options.build, "--prefix", scratch / "prefix")
        _run(options.cmake, "-G", "Ninja", "-S", project, "-B", scratch / "build",
             f"-DCMAKE_PREFIX_PATH={scratch / 'prefix'}", f"-DCMAKE_CXX_COMPILER={options.compiler}")
        _run(options.cmake, "--build", scratch / "build")
        output = _run(scratch / "build/app")
        forms = _run(scratch / "build/forms")
    print(output)
    print(forms)
    return 0 if output.startswith(f"{64 << 20}\n") and forms == "1000 3 10000000\n" else 1


if __name__ == "__main__":
    sys.exit(main())
