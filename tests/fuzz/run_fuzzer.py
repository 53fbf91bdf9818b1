"""Runs one libFuzzer program for a bounded time, as a test.

run_fuzzer.py [--corpus FOLDER] [--dictionary FILE] [--expect-crash] PROGRAM

It runs for 20 s; with PAGEWIRE_FULL=1 for 100,000,000 executions, or two hours if they take longer. (A core runs about
20,000 of the parser's in a second, and about 400 connections.) PAGEWIRE_FUZZ_SECONDS or PAGEWIRE_FUZZ_RUNS set
either, without the other as a limit; PAGEWIRE_FUZZ_SEED repeats a run.
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
_FULL_SECONDS = 7200
_FULL_RUNS = 100_000_000
_CANARY_SECONDS = 120  # a planted bug is found in a few seconds; this is for a busy machine

_SECONDS_PER_INPUT = 10  # one input that takes longer counts as hung


def _limits(expect_crash):
    """libFuzzer's options for when to stop."""
    if expect_crash:
        return [f"-max_total_time={_CANARY_SECONDS}"]
    seconds, runs = os.environ.get("PAGEWIRE_FUZZ_SECONDS"), os.environ.get("PAGEWIRE_FUZZ_RUNS")
    if seconds or runs:
        return [f"-max_total_time={int(seconds or 0)}", f"-runs={int(runs or -1)}"]  # 0, -1: without end
    if os.environ.get("PAGEWIRE_FULL") == "1":
        return [f"-max_total_time={_FULL_SECONDS}", f"-runs={_FULL_RUNS}"]
    return [f"-max_total_time={_SECONDS}"]


def _run(options, scratch):
    """The exit status and the folder with the inputs that crashed. New inputs go to `scratch`, never to the corpus."""
    found, artifacts = scratch / "found", scratch / "artifacts"
    found.mkdir()
    artifacts.mkdir()
    seed = os.environ.get("PAGEWIRE_FUZZ_SEED") or str(random.randrange(1, 2**32))
    command = [options.program, f"-seed={seed}", *_limits(options.expect_crash),
               # The weighing of inputs by how rare their features are costs most of the time where there are many.
               "-entropic=0", f"-timeout={_SECONDS_PER_INPUT}", "-print_final_stats=1",
               f"-artifact_prefix={artifacts}/"]
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
