"""Starts transfer-probe, as server and as client, maybe each in a network namespace."""

import json
import os
import subprocess

PATH_PAIRS = [(send, receive) for send in ("copy", "zerocopy", "splice", "file") for receive in ("copy", "map")]


def environment(pair):
    return dict(os.environ, PAGEWIRE_SEND_PATH=pair[0], PAGEWIRE_RECEIVE_PATH=pair[1])


def _inside(namespace, command):
    return namespace.command(command) if namespace else command


class Server:
    """A transfer-probe that serves until it is killed. Use with `with`."""

    def __init__(self, program, pair, address="127.0.0.1", port=0, namespace=None, options=()):
        host = f"[{address}]" if ":" in address else address
        self._target = ("ipv6:" if ":" in address else "ipv4:") + host
        self.process = subprocess.Popen(
            _inside(namespace, [program, "serve", f"{host}:{port}", *map(str, options)]),
            stdout=subprocess.PIPE, text=True, env=environment(pair))
        line = self.process.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError(f"the server said {line!r} instead of its port")
        self.port = int(line)

    @property
    def target(self):
        return f"{self._target}:{self.port}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()


class Client:
    """A transfer-probe that sends."""

    def __init__(self, program, pair, target, options=(), namespace=None, role="send"):
        self.process = subprocess.Popen(
            _inside(namespace, [program, role, target, *map(str, options)]),
            stdout=subprocess.PIPE, text=True, env=environment(pair))

    def findings(self, timeout=600):
        """What it printed at its end; `error` says what was wrong."""
        try:
            out, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return {"error": f"the client was not done after {timeout} s"}
        lines = out.splitlines()
        if not lines:
            return {"error": f"the client ended with {self.process.returncode} and said nothing"}
        return json.loads(lines[-1])

    def kill(self):
        self.process.kill()
        self.process.communicate()


def mapped_fraction(findings):
    return findings["mapped_bytes"] / max(findings["whole_page_bytes"], 1)
