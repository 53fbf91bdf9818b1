"""clang_tidy.py BUILD [FILE...]: the checks of .clang-tidy over these sources, or over all that BUILD compiles."""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

_OURS = ("rpc/", "codegen/", "examples/", "tools/")
_ROOT = pathlib.Path(__file__).resolve().parents[2]


def _for_clang(command):
    """Without gcc's precompiled headers, and whatever warnings it names that only gcc has."""
    kept = []
    for word in shlex.split(command):
        if kept and kept[-1] == "-include" and word.endswith("/cmake_pch.hxx"):
            kept.pop()
        elif word != "-Winvalid-pch":
            kept.append(word)
    return [*kept, "-Wno-unknown-warning-option"]


def _commands(build):
    """Of ours, by file; which leaves out the sources of other presets. Generated ones are not ours."""
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = os.path.relpath(entry["file"], _ROOT)
        if file.startswith(_OURS):
            commands[file] = {
                "directory": entry["directory"],
                "file": entry["file"],
                "arguments": _for_clang(entry["command"]),
            }
    return commands


def _check(database, file):
    command = ["clang-tidy", "--quiet", "-p", database, file]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout if done.returncode else ""


def main(build, files):
    commands = _commands(pathlib.Path(build).resolve())
    failed = False
    with tempfile.TemporaryDirectory() as database:
        (pathlib.Path(database) / "compile_commands.json").write_text(json.dumps(list(commands.values())))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for output in pool.map(lambda file: _check(database, file), files or sorted(commands)):
                failed = failed or bool(output)
                print(output, end="", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
