#!/usr/bin/env python3
"""What receiving costs: CPU of the server's process by receive path, for one sender and the same bytes.

receive_cost.py [PROBE] [--rounds N] [--gigabytes N]
PROBE is build/release/tests/transfer/transfer-probe. The server, pinned to one CPU, reads every line of what it gets;
the client sends without a copy from another CPU. The paths alternate within each round, and what is printed is the
ratio of the two within a round: median, least and most of all rounds. Absolute figures of one run mean little on a
machine that others use.
"""

import argparse
import os
import pathlib
import statistics
import sys

_ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_ROOT / "tests" / "transfer"))
import probe  # noqa: E402

_SIZES = (64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def flood(program, server, pair, payload_bytes, total):
    client = probe.Client(program, pair, server.target,
                          ["--bytes", total, "--payload_bytes", payload_bytes, "--inflight", 4], role="flood")
    os.sched_setaffinity(client.process.pid, {1})
    if client.process.wait() != 0:
        raise RuntimeError("the client failed")


def cost(program, receive_path, payload_bytes, total):
    """Microseconds of the server's CPU per MB (10^6 bytes)."""
    pair = ("zerocopy", receive_path)
    with probe.Server(program, pair) as server:
        for thread in os.listdir(f"/proc/{server.process.pid}/task"):
            os.sched_setaffinity(int(thread), {0})
        flood(program, server, pair, payload_bytes, total // 4)  # memory and connection are warm then
        before = cpu_seconds(server.process.pid)
        flood(program, server, pair, payload_bytes, total)
        return (cpu_seconds(server.process.pid) - before) / (total / 1e6) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe", nargs="?", default=str(_ROOT / "build/release/tests/transfer/transfer-probe"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gigabytes", type=float, default=2)
    options = parser.parse_args()
    print("payload      map/copy (median, least, most)    copy µs/MB   map µs/MB (medians)")
    for size in _SIZES:
        costs = {"copy": [], "map": []}
        for _ in range(options.rounds):
            for path, measured in costs.items():
                measured.append(cost(options.probe, path, size, int(options.gigabytes * 1e9)))
        ratios = [m / c for m, c in zip(costs["map"], costs["copy"])]
        print(f"{size >> 10:6} KiB   {statistics.median(ratios):.2f}   {min(ratios):.2f}   {max(ratios):.2f}"
              f"   {statistics.median(costs['copy']):17.1f} {statistics.median(costs['map']):11.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
