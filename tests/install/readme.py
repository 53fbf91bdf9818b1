"""The service in README.md is what it says: a program that builds against the installed package and runs."""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

_PREAMBLE = "cmake_minimum_required(VERSION 3.25)\nproject(readme LANGUAGES CXX)\n"


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
        (project / "CMakeLists.txt").write_text(_PREAMBLE + _block(readme, "cmake", "find_package"))
        (project / "app.cc").write_text(_block(readme, "cpp", "int main"))
        _run(options.cmake, "--install", options.build, "--prefix", scratch / "prefix")
        _run(options.cmake, "-G", "Ninja", "-S", project, "-B", scratch / "build",
             f"-DCMAKE_PREFIX_PATH={scratch / 'prefix'}", f"-DCMAKE_CXX_COMPILER={options.compiler}")
        _run(options.cmake, "--build", scratch / "build")
        output = _run(scratch / "build/app")
    print(output)
    return 0 if output.startswith(f"{64 << 20}\n") else 1


if __name__ == "__main__":
    sys.exit(main())
