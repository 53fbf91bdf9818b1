"""Runs one libFuzzer program for a bounded time, as a test.

run_fuzzer.py [--corpus FOLDER] [--dictionary FILE] [--expect-crash] PROGRAM

PAGEWIRE_FUZZ_SECONDS sets the time (default: 20 s, or 300 s with PAGEWIRE_FULL=1), PAGEWIRE_FUZZ_RUNS a number of
executions in its place, as 100000000; PAGEWIRE_FUZZ_SEED repeats a run.
With --expect-crash the program has a planted bug, and passes when the bug is found.
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

_SECONDS = 20
_FULL_SECONDS = 300
_CANARY_SECONDS = 120  # a planted bug is found in a few seconds; this is for a busy machine

_SECONDS_PER_INPUT = 10  # one input that takes longer counts as hung


def _seconds(expect_crash):
    if os.environ.get("PAGEWIRE_FUZZ_SECONDS"):
        return int(os.environ["PAGEWIRE_FUZZ_SECONDS"])
    if expect_crash:
        return _CANARY_SECONDS
    return _FULL_SECONDS if os.environ.get("PAGEWIRE_FULL") == "1" else _SECONDS


def _run(options, scratch):
    """The exit status and the folder with the inputs that crashed. New inputs go to `scratch`, never to the corpus."""
    found, artifacts = scratch / "found", scratch / "artifacts"
    found.mkdir()
    artifacts.mkdir()
    seed = os.environ.get("PAGEWIRE_FUZZ_SEED") or str(random.randrange(1, 2**32))
    runs = os.environ.get("PAGEWIRE_FUZZ_RUNS")
    limit = f"-max_total_time={_seconds(options.expect_crash)}"
    if runs and not options.expect_crash:
        limit = f"-runs={runs}"
    command = [options.program, f"-seed={seed}", limit,
               f"-timeout={_SECONDS_PER_INPUT}", "-print_final_stats=1", f"-artifact_prefix={artifacts}/"]
    if options.dictionary:
        command.append(f"-dict={options.dictionary}")
    command.append(str(found))
    if options.corpus:
        command.append(options.corpus)
    print(f"PAGEWIRE_FUZZ_SEED={seed} repeats this run", flush=True)
    return subprocess.run(command, stderr=subprocess.STDOUT).returncode, artifacts


def _keep(artifacts, program):
    """Puts the crashing inputs beside the program and says how to run them again."""
    for artifact in artifacts.iterdir():
        kept = pathlib.Path(program).with_name(artifact.name)
        shutil.copy(artifact, kept)
        print(f"repeat with: {program} {kept}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus")
    parser.add_argument("--dictionary")
    parser.add_argument("--expect-crash", action="store_true")
    parser.add_argument("program")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pagewire-fuzz-") as scratch:
        status, artifacts = _run(options, pathlib.Path(scratch))
        crashed = any(artifacts.glob("crash-*"))
        if options.expect_crash:
            print("the planted bug was found" if crashed else "the planted bug was not found: this fuzzer sees nothing")
            return 0 if crashed else 1
        _keep(artifacts, options.program)
        return 0 if status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
