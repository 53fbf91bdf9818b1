#!/usr/bin/env python3
"""Two runs of pagewire-bench, in turn, and what the second costs of the first: medians of the ratios within a round.

  bench/compare.py --rounds 9 --common="--workload=mixed --inflight=4" --b="--connections_per_peer=2"
  bench/compare.py --common="--workload=put" --program-a old/bin/pagewire-bench

On a machine whose speed changes from minute to minute only such ratios mean something.
"""

import argparse
import json
import shlex
import statistics
import subprocess

_PROGRAM = "build/release/bin/pagewire-bench"


def _run(program, arguments):
    done = subprocess.run([*shlex.split(program), *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--common", default="", help="arguments of both")
    parser.add_argument("--a", default="", help="arguments of the first")
    parser.add_argument("--b", default="", help="arguments of the second")
    parser.add_argument("--program-a", default=_PROGRAM, help="may have words before it: \"env NAME=VALUE PROGRAM\"")
    parser.add_argument("--program-b", default=_PROGRAM)
    options = parser.parse_args()
    sides = [(options.program_a, shlex.split(f"{options.common} {options.a}")),
             (options.program_b, shlex.split(f"{options.common} {options.b}"))]
    ratios = {}
    for number in range(options.rounds):
        results = {}
        for side in (0, 1) if number % 2 == 0 else (1, 0):  # who comes first changes
            results[side] = _run(*sides[side])
        for key, value in results[0].items():
            of_b = results[1].get(key)
            if "_per_" not in key and not key.endswith("_us"):
                continue
            if key == "connections_per_peer" or not isinstance(of_b, (int, float)) or not value:
                continue
            ratios.setdefault(key, []).append(of_b / value)
    for key, values in ratios.items():
        print(f"{key:24} {statistics.median(values):6.2f} ({min(values):.2f} to {max(values):.2f})")


if __name__ == "__main__":
    main()
