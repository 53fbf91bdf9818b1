"""A real Prometheus reads the metrics of a real process: 77 where it is not installed."""

import argparse
import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

_CALLS = 23
_SKIP = 77

# For everything together; Prometheus starts within a second and reads every second, on a machine that has time for it.
_DEADLINE_S = 120

# Queries and what they must come to. Labels come back as they were, but for the byte that is not UTF-8.
_ECHO = 'method="/pagewire.test.Blob/Echo"'
_EXPECTED = {
    'up{job="pagewire"}': {"": 1},
    f"pagewire_server_calls_started_total{{{_ECHO}}}": {"": _CALLS},
    f'pagewire_server_calls_ended_total{{{_ECHO},code="OK"}}': {"": _CALLS},
    f"pagewire_client_received_messages_total{{{_ECHO}}}": {"": _CALLS},
    f'pagewire_client_call_duration_seconds_count{{{_ECHO},code="OK"}}': {"": _CALLS},
    f'pagewire_client_call_duration_seconds_bucket{{{_ECHO},code="OK",le="+Inf"}}': {"": _CALLS},
    "pagewire_client_calls_in_flight": {"": 0},
    "pagewire_quarantined_bytes": {"": 0},
    "demo_labels_total": {'quote " back\\slash\nline \u00e4 ?': 7},
}


@contextlib.contextmanager
def _running(command, **options):
    """The process, which is ended afterwards."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _query(port, expression):
    """Values by their label `text`."""
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(url, timeout=10) as answer:
        result = json.load(answer)["data"]["result"]
    return {series["metric"].get("text", ""): float(series["value"][1]) for series in result}


def _await_values(port, prometheus, deadline):
    """What of _EXPECTED is not so, in the end. Raises OSError when Prometheus has died."""
    wrong = dict.fromkeys(_EXPECTED)
    while wrong and time.monotonic() < deadline:
        if prometheus.poll() is not None:
            raise ChildProcessError(f"prometheus ended with {prometheus.returncode}")
        with contextlib.suppress(OSError):  # not there yet
            for expression in list(wrong):
                wrong[expression] = _query(port, expression)
                if wrong[expression] == _EXPECTED[expression]:
                    del wrong[expression]
        time.sleep(0.2)
    return wrong


def _check(program, binary, scratch, deadline):
    with _running([program, str(_CALLS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        admin_port = int(server.stdout.readline())
        config = scratch / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
                          "scrape_configs:\n"
                          "- job_name: pagewire\n"
                          f"  static_configs: [{{targets: ['127.0.0.1:{admin_port}']}}]\n")
        log = scratch / "prometheus.log"
        # Somebody may take the port before Prometheus does.
        for _ in range(3):
            port = _free_port()
            command = [binary, f"--config.file={config}", f"--storage.tsdb.path={scratch / 'data'}",
                       f"--web.listen-address=127.0.0.1:{port}"]
            with log.open("w") as output, _running(command, stdout=output, stderr=output) as prometheus:
                try:
                    wrong = _await_values(port, prometheus, deadline)
                    break
                except ChildProcessError as error:
                    wrong = {"prometheus": error}
        for expression, value in wrong.items():
            print(f"{expression} is {value}, expected {_EXPECTED.get(expression)}")
        if wrong:
            print(log.read_text())
        return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    options = parser.parse_args()
    binary = shutil.which("prometheus")
    if binary is None:
        print("prometheus is not installed; scripts/setup installs it")
        return _SKIP
    with tempfile.TemporaryDirectory(prefix="pagewire-prometheus-") as scratch:
        return _check(options.program, binary, pathlib.Path(scratch), time.monotonic() + _DEADLINE_S)


if __name__ == "__main__":
    sys.exit(main())
