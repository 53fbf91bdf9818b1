"""Kills servers under a client, and clients under a server, again and again; the survivor must not grow. Stops a server
in the middle of transfers before it is killed; lets a server run out of descriptors.

kill_loop_test.py PROBE [--pair SEND/RECEIVE] [--kills N] [--sanitized] [--keep_descriptors]
"""

import argparse
import random
import resource
import signal
import sys
import time

import probe
from footprint import Footprint

# Set by main.
_PAIR = []
# The survivor's caches are full after so many; what it holds then it may hold at the end.
_WARM_UP = 20
_GROWTH = Footprint(descriptors=4, mappings=16, resident=24 << 20, threads=0)
# What is spliced is out until the peer's application has let go of it, so the pool's high-water mark differs by as much
# as a client has in flight: 8 payloads of up to 8 MiB.
_LENT = 64 << 20
# A thread that the executor has added since has a stack and maybe a heap of its own, each with a guard.
_MAPPINGS_PER_THREAD = 4


# With a sanitizer's own memory in the process only descriptors say something.
_WATCHED = ["descriptors", "mappings", "resident"]


def grown(before, after):
    """Which part of the footprint grew more than it may; None if none did."""
    for name in _WATCHED:
        allowed = getattr(before, name) + getattr(_GROWTH, name)
        if name == "resident" and "splice" in _PAIR:
            allowed += _LENT
        if name == "mappings":
            allowed += _MAPPINGS_PER_THREAD * max(0, after.threads - before.threads)
        if getattr(after, name) > allowed:
            return f"{name} grew from {getattr(before, name)} to {getattr(after, name)}"
    return None


def kill_servers(program, kills, chance):
    server = probe.Server(program, _PAIR)
    port = server.port
    client = probe.Client(program, _PAIR, server.target, ["--seconds", 10_000, "--churn", "--threads", 1])
    before = None
    for kill in range(kills + 1):
        time.sleep(0.02 + chance.random() * 0.06)
        if client.process.poll() is not None:
            return f"the client ended after {kill} kills: {client.findings()}"
        if kill == min(_WARM_UP, kills // 2):
            before = Footprint.of(client.process.pid)
        server.kill()
        server = probe.Server(program, _PAIR, port=port)
    time.sleep(0.3)
    after = Footprint.of(client.process.pid)
    client.kill()
    server.kill()
    print(f"client, {kills} servers killed: {before} -> {after}", flush=True)
    return grown(before, after)


def kill_clients(program, kills, chance):
    with probe.Server(program, _PAIR) as server:
        before = None
        for kill in range(kills + 1):
            client = probe.Client(program, _PAIR, server.target, ["--seconds", 10_000, "--churn"])
            time.sleep(0.02 + chance.random() * 0.06)
            client.kill()
            if server.process.poll() is not None:
                return f"the server ended after {kill} kills with {server.process.returncode}"
            if kill == min(_WARM_UP, kills // 2):
                probe.Client(program, _PAIR, server.target, ["--seconds", 1]).findings()
                time.sleep(0.3)
                before = Footprint.of(server.process.pid)
        # The last client's payloads are held for a while; then one that is not killed must be served well.
        findings = probe.Client(program, _PAIR, server.target, ["--seconds", 1]).findings()
        time.sleep(0.3)
        after = Footprint.of(server.process.pid)
        print(f"server, {kills} clients killed: {before} -> {after}", flush=True)
        return findings["error"] or grown(before, after)


def stop_and_kill(program, _kills, chance):
    """A peer that stands still: deadlines pass, nothing comes back until it is dead, then everything does."""
    server = probe.Server(program, _PAIR)
    port = server.port
    client = probe.Client(program, _PAIR, server.target, ["--seconds", 3, "--churn"])
    time.sleep(0.5 + chance.random() * 0.2)
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    server.kill()
    with probe.Server(program, _PAIR, port=port):
        # It ends only once every one of its buffers has come back.
        findings = client.findings(timeout=60)
    print(f"client of a server that stood still: {findings}", flush=True)
    return findings["error"] or (None if findings["failed_calls"] else "no call failed")


def without_descriptors(program, _kills, _chance):
    """More connections than the server has descriptors for: it stays alive, and serves whoever comes later."""
    with probe.Server(program, _PAIR) as server:
        used = Footprint.of(server.process.pid).descriptors
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used + 6, used + 100))
        clients = [probe.Client(program, _PAIR, server.target, ["--seconds", 2, "--threads", 4, "--churn"])
                   for _ in range(3)]
        time.sleep(1)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used + 100, used + 100))
        for client in clients:
            if error := client.findings(timeout=150)["error"]:
                return f"a client that competed for descriptors: {error}"
        findings = probe.Client(program, _PAIR, server.target, ["--seconds", 1]).findings()
        print(f"server that had no descriptors: {findings}", flush=True)
        return findings["error"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe")
    parser.add_argument("--pair", default="zerocopy/map")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 30))
    parser.add_argument("--sanitized", action="store_true", help="the probe is built with a sanitizer")
    parser.add_argument("--keep_descriptors", action="store_true", help="no server runs out of descriptors")
    options = parser.parse_args()
    _PAIR.extend(options.pair.split("/"))
    if options.sanitized:
        _WATCHED[1:] = []
    print(f"seed {options.seed}", flush=True)
    failed = 0
    attacks = [kill_servers, kill_clients, stop_and_kill]
    if not options.keep_descriptors:
        attacks.append(without_descriptors)
    for what in attacks:
        wrong = what(options.probe, options.kills, random.Random(options.seed))
        print(f"{what.__name__}: {wrong or 'right'}", flush=True)
        failed += wrong is not None and wrong != ""
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
