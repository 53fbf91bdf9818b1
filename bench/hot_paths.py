#!/usr/bin/env python3
"""Counts the instructions of the paths that every call takes (hot_paths.cc) under callgrind, and compares.

  bench/hot_paths.py build/release/bin/hot-paths            fails if a path costs more than hot_paths.json says
  bench/hot_paths.py build/release/bin/hot-paths --update   writes hot_paths.json anew
  bench/hot_paths.py build/release/bin/hot-paths --top 20   also shows the functions that cost most, each by itself

Counts do not depend on what else the machine does. So that they do not depend on its processor either, what the C
library does is left out: it chooses its memcpy by processor. Calls of its allocator are counted by themselves. Ours,
protobuf's, abseil's and libstdc++'s code is the same on every x86-64 processor. Exits with 77 where counting makes no
sense: another processor, another compiler, no valgrind.
"""

import argparse
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

NOT_HERE = 77  # for CTest: skipped
EXPECTED = pathlib.Path(__file__).with_suffix(".json")

# What the C library is made of.
_LEFT_OUT = re.compile(r"/(ld-linux|libc[.-]|libm[.-]|libpthread|vgpreload)|^\?\?\?$")
_ALLOCATION = re.compile(r"^(malloc|calloc|realloc|aligned_alloc|memalign|posix_memalign)$")


class Profile:
    """One dump of callgrind: the cost of each function by itself, and calls of the C library's allocator."""

    def __init__(self, text):
        self.name = ""
        self.functions = {}  # (object, function) to instructions
        self.allocations = 0
        self._names = {"ob": {}, "fn": {}}
        self._read(text)

    @property
    def instructions(self):
        return sum(cost for (owner, _), cost in self.functions.items() if not _LEFT_OUT.search(owner))

    def top(self, count):
        return sorted(self.functions.items(), key=lambda item: -item[1])[:count]

    def _name(self, kind, value):
        """callgrind writes a name once, as "(3) name", and "(3)" from then on."""
        number, _, name = value.partition(" ")
        if not number.startswith("("):
            return value
        if name:
            self._names[kind][number] = name
        return self._names[kind][number]

    def _read(self, text):
        owner = function = callee = ""
        inclusive = False  # the line after calls= is the callee's cost, which it has itself, too
        for line in text.splitlines():
            key, equals, value = line.partition("=")
            if line.startswith("desc: Trigger: Client Request: "):
                self.name = line.rsplit(": ", 1)[1]
            elif equals and key == "ob":
                owner = self._name("ob", value)
            elif equals and key == "fn":
                function = self._name("fn", value)
            elif equals and key == "cob":
                self._name("ob", value)  # maybe the only place that says it in full
            elif equals and key == "cfn":
                callee = self._name("fn", value)
            elif equals and key == "calls":
                inclusive = True
                if _ALLOCATION.search(callee) and "/libc.so" not in owner:
                    self.allocations += int(value.split()[0])
            elif re.match(r"[\d+*-]", line):
                if not inclusive:
                    cost = int(line.split()[-1])
                    self.functions[owner, function] = self.functions.get((owner, function), 0) + cost
                inclusive = False


def count(program):
    """Path to {"instructions", "allocations"}, of one time each, and to its profile."""
    with tempfile.TemporaryDirectory(prefix="pagewire-hot-paths-") as scratch:
        out = pathlib.Path(scratch, "out")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--instr-atstart=no",
                   "--dump-line=no", "--combine-dumps=no", str(program)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        times = {name: int(number) for name, number in (line.split() for line in done.stdout.splitlines())}
        profiles = {}
        for path in pathlib.Path(scratch).iterdir():
            profile = Profile(path.read_text())
            if profile.name in times:
                profiles[profile.name] = profile
    missing = set(times) - set(profiles)
    if missing or not times:
        raise SystemExit(f"callgrind has no counts of {', '.join(sorted(missing)) or 'anything'}")
    found = {name: {"instructions": round(profiles[name].instructions / times[name], 1),
                    "allocations": round(profiles[name].allocations / times[name], 2)} for name in times}
    return found, profiles


def compare(found, expected):
    """What is wrong, a line for each: paths that cost more, that cost so much less that the file is out of date, that
    are not in both."""
    tolerance = expected["tolerance"]
    for name in sorted(set(found) ^ set(expected["paths"])):
        yield f"{name}: is only in {'the program' if name in found else 'the file'}"
    for name in sorted(set(found) & set(expected["paths"])):
        for figure, before in expected["paths"][name].items():
            now = found[name][figure]
            # An allocation in fifty calls is a pool that grows; instructions vary by the addresses that hashes see.
            slack = before * tolerance if figure == "instructions" else 0.02
            if now > before + slack:
                yield f"{name}: {now:g} {figure}, {_change(now, before)}: find out why, or accept it with --update"
            elif now < before - slack:
                yield f"{name}: {now:g} {figure}, {_change(now, before)}: well done; keep it with --update"


def _change(now, before):
    return f"{now / before - 1:+.1%} of {before:g}" if before else f"was {before:g}"


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--top", type=int, default=0)
    parser.add_argument("--expected", type=pathlib.Path, default=EXPECTED)
    parser.add_argument("--compiler", default="GNU 12.2.0", help="that has built it")
    options = parser.parse_args(arguments)
    if not shutil.which("valgrind"):
        print("valgrind is not installed: scripts/setup installs it")
        return NOT_HERE
    built_for = f"{platform.machine()} {options.compiler}"
    expected = json.loads(options.expected.read_text()) if options.expected.exists() else {"tolerance": 0.05}
    if not options.update and expected.get("built_for") != built_for:
        print(f"{options.expected.name} is for {expected.get('built_for')}, this is {built_for}")
        return NOT_HERE
    found, profiles = count(options.program)
    for name, figures in found.items():
        print(f"{name:<14} {figures['instructions']:>12,.1f} instructions {figures['allocations']:>8.2f} allocations")
        for (owner, function), cost in profiles[name].top(options.top):
            print(f"    {cost:>12,} {function} [{pathlib.Path(owner).name}]")
    if options.update:
        written = {"built_for": built_for, "tolerance": expected["tolerance"], "paths": found}
        options.expected.write_text(json.dumps(written, indent=2) + "\n")
        return 0
    wrong = list(compare(found, expected))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
