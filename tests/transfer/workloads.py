"""Every transfer workload of pagewire-bench runs, and says what it measured. What the figures are does not matter."""

import argparse
import json
import subprocess
import sys

_BYTES = 300_000
_RUNS = {
    "put": ["--inflight=4", "--touch"],
    "get": ["--inflight=2", "--touch"],
    "echo": ["--inflight=8"],
    "mixed": ["--inflight=2", "--connections_per_peer=2"],
    "forward": [],
    "fanout": ["--fanout=3", "--send_path=zerocopy", "--receive_path=map"],
    "floor": ["--inflight=2", "--touch", "--send_path=zerocopy", "--receive_path=map"],
}


def _check(result, workload):
    errors = []
    if result["workload"] != workload:
        errors.append("another workload ran")
    prefixes = ("alone_", "beside_") if workload == "mixed" else ("",)
    for prefix in prefixes if workload != "floor" else ():
        if not 0 < result[f"{prefix}p50_us"] <= result[f"{prefix}p99_us"] <= result[f"{prefix}p999_us"]:
            errors.append("latencies that are in no order")
    if workload != "echo" and not result["gb_per_s"] > 0:
        errors.append("no bytes moved")
    if workload not in ("echo", "mixed"):
        if not (result["client_cpu_us_per_mb"] > 0 and result["server_cpu_us_per_mb"] > 0):
            errors.append("no CPU was used")
        if workload != "floor" and not 0 <= result["mapped_fraction"] <= 1:
            errors.append("an impossible fraction was mapped")
    return errors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    options = parser.parse_args()
    failed = False
    for workload, arguments in _RUNS.items():
        done = subprocess.run([options.bench, f"--workload={workload}", f"--payload_bytes={_BYTES}", "--seconds=0.3",
                               *arguments], stdout=subprocess.PIPE, text=True, check=False)
        errors = [f"ended with {done.returncode}"]
        if done.returncode == 0:
            errors = _check(json.loads(done.stdout), workload)
        print(workload, done.stdout.strip(), *errors)
        failed = failed or bool(errors)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
