"""A reader that slows down, stops, and goes on: memory stays within the budget, and the holders are named.

slow_reader_test.py PROBE [--gigabytes N] [--slow_megabytes N] [--pause_seconds N]
"""

import argparse
import sys

import probe
from footprint import Watch, resident_bytes, tcp_memory_bytes

_BUDGET = 256 << 20
_PAYLOAD = 16 << 20
_SLACK = 64 << 20


def run(program, pair, options):
    """What was wrong, in a list."""
    wrong = []
    total = options.gigabytes << 30
    pace = ["--budget", _BUDGET, "--slow_from", total // 4, "--slow_bytes", options.slow_megabytes * 10**6,
            "--bytes_per_second", 50_000_000, "--pause_ms", options.pause_seconds * 1000]
    before_tcp = tcp_memory_bytes()
    with probe.Server(program, pair, options=pace) as server:
        before = resident_bytes(server.process.pid)
        client = probe.Client(program, pair, server.target,
                              ["--bytes", total, "--payload_bytes", _PAYLOAD, "--inflight", 32], role="flood")
        watch = Watch([server.process.pid, client.process.pid])
        watch.start()
        holders = []
        for line in server.process.stdout:
            if line.startswith("holder:"):
                holders.append(line.strip())
            if line.startswith("going on"):
                break
        status = client.process.wait()
        watch.done = True
        watch.join()
    if status != 0:
        wrong.append(f"the client ended with {status}")
    server_most = watch.most[server.process.pid] - before + watch.most_tcp - before_tcp
    if server_most > _BUDGET + _SLACK:
        wrong.append(f"the server and TCP held {server_most} bytes, the budget is {_BUDGET}")
    client_most = watch.most[client.process.pid] - before
    if client_most > _PAYLOAD + _SLACK:
        wrong.append(f"the client held {client_most} bytes and sends one buffer of {_PAYLOAD}")
    if not any("/pagewire.transfer.Transfer/Spend" in holder for holder in holders):
        wrong.append(f"the holders were not named: {holders}")
    print(f"{'/'.join(pair)}: server {server_most >> 20} MiB with TCP, client {client_most >> 20} MiB, "
          f"{len(holders)} holders, e.g. {holders[:1]}: {wrong or 'right'}", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe")
    parser.add_argument("--gigabytes", type=int, default=2)
    parser.add_argument("--slow_megabytes", type=int, default=100)
    parser.add_argument("--pause_seconds", type=int, default=2)
    options = parser.parse_args()
    return 1 if sum((run(options.probe, pair, options) for pair in (("copy", "copy"), ("zerocopy", "map"))), []) else 0


if __name__ == "__main__":
    sys.exit(main())
