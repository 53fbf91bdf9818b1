#!/usr/bin/env python3
"""Whether docs/performance-model.md is right about a real network: run it on two hosts.

  bench/verify_nic.py --serve 0.0.0.0:7070                 on the one; five ports from there on
  bench/verify_nic.py --target ipv4:10.0.0.1:7070          on the other
      [--device eth0] [--rounds 5] [--seconds 2] [--program build/release/bin/pagewire-bench]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

_SIZES = (64 << 10, 256 << 10, 1 << 20, 16 << 20)
# In the order of the server's ports.
_PAIRS = (("auto", "auto"), ("copy", "copy"), ("copy", "map"), ("zerocopy", "copy"), ("zerocopy", "map"))
_BASE = ("copy", "copy")


def _setting(command, wanted):
    if shutil.which(command[0]) is None:
        return f"unknown: {command[0]} is not installed"
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    lines = [line.strip() for line in done.stdout.splitlines() if any(word in line for word in wanted)]
    return "; ".join(lines) or "unknown"


def describe(device):
    """What decides whether pages can arrive whole."""
    print("kernel", os.uname().release)
    if not device:
        return
    print("MTU:", _setting(["ip", "link", "show", device], ["mtu"]))
    print("header split:", _setting(["ethtool", "-g", device], ["data split", "data-split"]))
    print("driver:", _setting(["ethtool", "-i", device], ["driver"]))


def measure(options, workload, size, pair):
    host, _, port = options.target.rpartition(":")
    target = f"{host}:{int(port) + _PAIRS.index(pair)}"
    done = subprocess.run(
        [options.program, f"--workload={workload}", f"--payload_bytes={size}", "--inflight=4",
         f"--seconds={options.seconds}", f"--send_path={pair[0]}", f"--receive_path={pair[1]}", f"--target={target}"],
        stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def compare(options, workload, size):
    """Medians of ratios to copy/copy within rounds, by pair."""
    figures = ("gb_per_s", "client_cpu_us_per_mb", "server_cpu_us_per_mb", "total_cpu_us_per_mb")
    ratios = {pair: {figure: [] for figure in figures} for pair in _PAIRS}
    mapped = {}
    for number in range(options.rounds):
        order = _PAIRS if number % 2 == 0 else _PAIRS[::-1]
        results = {pair: measure(options, workload, size, pair) for pair in order}
        for pair in _PAIRS:
            mapped[pair] = results[pair]["mapped_fraction"]
            for figure in figures:
                ratios[pair][figure].append(results[pair][figure] / max(results[_BASE][figure], 1e-9))
    print(f"\n{workload} {size >> 10} KiB, of copy/copy: throughput, CPU of the client, of the server, of both; mapped")
    medians = {}
    for pair in _PAIRS:
        medians[pair] = {figure: statistics.median(values) for figure, values in ratios[pair].items()}
        texts = [f"{medians[pair][figure]:.2f} ({min(ratios[pair][figure]):.2f} to {max(ratios[pair][figure]):.2f})"
                 for figure in figures]
        print(f"  {'/'.join(pair):14}", "  ".join(texts), f"  {mapped[pair]:.0%}")
    return medians, mapped


def verdicts(workload, medians, mapped):
    """What the model predicts for 1 MiB, and whether it was so."""
    pair = ("zerocopy", "map")
    sender, receiver = ("client", "server") if workload == "put" else ("server", "client")
    got = medians[pair]
    checks = [
        ("99 % of pages are mapped", mapped[pair] >= 0.99, f"{mapped[pair]:.1%}"),
        ("the receiver's CPU is 0.4 to 0.6", 0.4 <= got[f"{receiver}_cpu_us_per_mb"] <= 0.6,
         f"{got[f'{receiver}_cpu_us_per_mb']:.2f}"),
        ("the sender's CPU is 0.6 to 0.9", 0.6 <= got[f"{sender}_cpu_us_per_mb"] <= 0.9,
         f"{got[f'{sender}_cpu_us_per_mb']:.2f}"),
        ("the throughput is 1.1 to 1.8, or that of the link", 1.1 <= got["gb_per_s"] <= 1.8, f"{got['gb_per_s']:.2f}"),
        ("auto costs at most 1.1 of the best pair's CPU",
         medians[("auto", "auto")]["total_cpu_us_per_mb"]
         <= 1.1 * min(figures["total_cpu_us_per_mb"] for figures in medians.values()),
         f"{medians[('auto', 'auto')]['total_cpu_us_per_mb']:.2f}"),
    ]
    print(f"\npredictions for {workload}s of 1 MiB:")
    for text, held, value in checks:
        print(f"  {'held' if held else 'NOT held'}: {text} (it is {value})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", help="HOST:PORT")
    parser.add_argument("--target", help="the other host, as a channel's target")
    parser.add_argument("--device", default="", help="the network device, to describe it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--program", default="build/release/bin/pagewire-bench")
    options = parser.parse_args()
    if bool(options.serve) == bool(options.target):
        parser.error("either --serve or --target")
    describe(options.device)
    if options.serve:
        return subprocess.run([options.program, "--workload=serve", f"--address={options.serve}"],
                              check=False).returncode
    for workload in ("put", "get"):
        for size in _SIZES:
            medians, mapped = compare(options, workload, size)
            if size == 1 << 20:
                verdicts(workload, medians, mapped)
    return 0


if __name__ == "__main__":
    sys.exit(main())
