"""clang_tidy.py BUILD [FILE...]: the checks of .clang-tidy over these sources, or over all that BUILD compiles."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

_OURS = ("rpc/", "codegen/", "examples/", "tools/")
_ROOT = pathlib.Path(__file__).resolve().parents[2]


def _sources(build):
    """Sources that have a compile command, which leaves out the ones of other presets; generated ones are not ours."""
    commands = json.loads((build / "compile_commands.json").read_text())
    files = {os.path.relpath(command["file"], _ROOT) for command in commands}
    return sorted(file for file in files if file.startswith(_OURS))


def _check(build, file):
    command = ["clang-tidy", "--quiet", "-p", build, file]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout if done.returncode else ""


def main(build, files):
    build = pathlib.Path(build).resolve()
    failed = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for output in pool.map(lambda file: _check(build, file), files or _sources(build)):
            failed = failed or bool(output)
            print(output, end="", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
