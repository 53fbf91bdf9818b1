"""What `cmake --install` leaves behind: all of the public interface, nothing else, and no trace of this machine."""

import argparse
import pathlib
import subprocess
import sys
import tempfile


def _problems(prefix, source, build):
    installed = {str(p.relative_to(prefix)) for p in prefix.rglob("*") if p.is_file()}

    public = {f"include/{p.relative_to(source / 'rpc')}" for p in (source / "rpc/pagewire").rglob("*.h")}
    public |= {"include/pagewire/options.proto", "include/pagewire/options.pb.h",
               "include/pagewire/admin/v1/admin.proto"}
    headers = {p for p in installed if p.startswith("include/")}
    for path in sorted(public - headers):
        yield f"{path} is not installed"
    for path in sorted(headers - public):
        yield f"{path} is installed and is not part of the public interface"

    package = "lib/cmake/pagewire/"
    for path in ("bin/protoc-gen-pagewire", package + "pagewireConfig.cmake", package + "pagewireConfigVersion.cmake",
                 package + "pagewireTargets.cmake", package + "pagewire-generate.cmake"):
        if path not in installed:
            yield f"{path} is not installed"

    for path in sorted(installed):
        if not path.endswith((".cmake", ".h", ".proto")):
            continue
        text = (prefix / path).read_text()
        for folder in (source, build):
            if str(folder) in text:
                yield f"{path} names {folder}: the package would not work elsewhere"
        for flag in ("INTERFACE_COMPILE_OPTIONS", "INTERFACE_COMPILE_DEFINITIONS", "-Werror"):
            if path.endswith(".cmake") and flag in text:
                yield f"{path} has {flag}: our flags would reach whoever links us"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pagewire-install-") as prefix:
        subprocess.run([options.cmake, "--install", options.build, "--prefix", prefix], check=True, capture_output=True)
        problems = list(_problems(pathlib.Path(prefix), options.source, options.build))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
