"""Three servers found through etcd, one after the other killed and started again under load: no idempotent call fails,
and no other one runs twice.

restart_test.py TALLY_PROGRAM [--rounds N]
"""

import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

SKIPPED = 77


def _own_host():
    """A loopback address that no other process uses, so that all its ports are free."""
    process = os.getpid()
    return f"127.{64 + (process >> 16 & 63)}.{process >> 8 & 255}.{process & 255}"


class Etcd:
    def __init__(self, folder):
        self.endpoint, peer = (f"http://{_own_host()}:{port}" for port in (2379, 2380))
        with open(folder / "etcd.log", "wb") as log:
            self._process = subprocess.Popen(
                ["etcd", "--data-dir", folder / "etcd", "--listen-client-urls", self.endpoint,
                 "--advertise-client-urls", self.endpoint, "--listen-peer-urls", peer,
                 "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", f"default={peer}"],
                stdout=log, stderr=log)
        end = time.monotonic() + 60
        while not self._healthy():
            if time.monotonic() > end:
                raise RuntimeError("etcd is not healthy after a minute")
            time.sleep(0.05)

    def _healthy(self):
        try:
            with urllib.request.urlopen(self.endpoint + "/health", timeout=2) as answer:
                return b"true" in answer.read()
        except OSError:
            return False

    def kill(self):
        self._process.kill()
        self._process.wait()


class Server:
    def __init__(self, program, etcd, number, folder):
        self.file = folder / f"added-{number}"
        self._process = subprocess.Popen([program, "serve", etcd.endpoint, str(number), self.file],
                                         stdout=subprocess.PIPE, text=True)
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"server {number} did not start")

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def _wrong(findings, ran):
    """What is not as it must be; empty if all is."""
    twice = sorted(added for added, times in ran.items() if times > 1)
    lost = sorted(set(findings["added"]) - set(ran))
    wrong = []
    if findings["read_failures"]:
        wrong.append(f"{findings['read_failures']} idempotent calls failed: {findings['read_error']}")
    if twice:
        wrong.append(f"ran twice: {twice[:5]}")
    if lost:
        wrong.append(f"answered and not found at any server: {lost[:5]}")
    if findings["servers"] != 3:
        wrong.append(f"only {findings['servers']} servers were used")
    if findings["reads"] < 1000:
        wrong.append(f"only {findings['reads']} calls were made")
    return wrong


def _run(program, rounds, folder):
    etcd = Etcd(folder)
    servers = [Server(program, etcd, number, folder) for number in range(3)]
    try:
        client = subprocess.Popen([program, "call", etcd.endpoint, str(4 + 4 * rounds)],
                                  stdout=subprocess.PIPE, text=True)
        time.sleep(2)
        for i in range(rounds):
            servers[i % 3].kill()
            # Once before its lease has ended, once after.
            time.sleep(0.3 if i % 2 == 0 else 2.7)
            servers[i % 3] = Server(program, etcd, i % 3, folder)
            time.sleep(1)
        said, _ = client.communicate(timeout=300)
        findings = json.loads(said)
    finally:
        for server in servers:
            server.kill()
        etcd.kill()
    ran = collections.Counter()
    for server in servers:
        ran.update(int(line) for line in server.file.read_text().splitlines())
    wrong = _wrong(findings, ran)
    print(f"{findings['reads']} idempotent calls, {findings['read_failures']} failed; {len(findings['added'])} others "
          f"answered, {findings['add_failures']} failed, {sum(ran.values())} ran; {rounds} restarts")
    print("\n".join(wrong) or "right")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=4, help="restarts")
    options = parser.parse_args()
    if shutil.which("etcd") is None:
        print("skipped: there is no etcd; scripts/setup installs it")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        return _run(options.program, options.rounds, pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main())
