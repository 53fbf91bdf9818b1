"""System calls per call and per MB, in a run of its own: counting costs, most of all under strace.

perf counts in the kernel, per interval, so that one run is enough: the rate in its middle, over the rate of calls that
the same run reports. strace stops the program at every call and has only a sum, so there the difference of two runs of
different length stands for the middle.
"""

import dataclasses
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile

import launch

_INTERVAL_MS = 100
_EVENT = "raw_syscalls:sys_enter"


def tool():
    """"perf" or "strace": what works here; None if neither does."""
    with tempfile.TemporaryDirectory(prefix="pagewire-bench-") as scratch:
        for name, command in (("perf", _perf(pathlib.Path(scratch, "out"))), ("strace", _strace(scratch + "/out"))):
            if shutil.which(name) and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
                return name
    return None


def _perf(path):
    return ["perf", "stat", "-e", _EVENT, "-I", str(_INTERVAL_MS), "-x", ",", "-o", str(path), "--"]


def _strace(path):
    return ["strace", "-f", "-c", "-o", str(path), "--"]


def perf_rates(text):
    """Calls per second in each interval but the last, which is cut short."""
    rows = [line.split(",") for line in text.splitlines() if _EVENT in line]
    times = [0.0] + [float(row[0]) for row in rows]
    return [float(row[1]) / (now - before) for row, before, now in zip(rows, times, times[1:])
            if row[1].strip().isdigit() and now > before][:-1]


def middle(rates, seconds):
    """The median of what lies within the measured time, which ends shortly before the program does."""
    count = max(1, int(seconds * 1000 / _INTERVAL_MS) - 2)
    kept = rates[-count - 1:-1] or rates
    return statistics.median(kept) if kept else 0.0


def strace_total(text):
    """The sum, and the names of what was called most often."""
    calls = {}
    for line in text.splitlines():
        # "% time, seconds, usecs/call, calls, [errors,] syscall"
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d*\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found and found[2] != "total":
            calls[found[2]] = int(found[1])
    return calls


def _per(rate, result):
    """What a rate of system calls means for each call, and for each MB."""
    found = {"syscalls_per_call": rate / result["calls_per_s"]} if result.get("calls_per_s") else {}
    if result.get("gb_per_s"):
        found["syscalls_per_mb"] = rate / (result["gb_per_s"] * 1e3)
    return found


def _with_perf(folder, cell, contestant, scratch):
    path = pathlib.Path(scratch, "perf")
    run = launch.run(folder, cell, contestant, _perf(path))
    return _per(middle(perf_rates(path.read_text()), cell.seconds), run["result"])


def _with_strace(folder, cell, contestant, scratch):
    sums, longer, more = [], None, 1.0
    for seconds in (cell.seconds, cell.seconds + more):
        path = pathlib.Path(scratch, f"strace{seconds:g}")
        longer = launch.run(folder, dataclasses.replace(cell, seconds=seconds), contestant, _strace(path))
        sums.append(strace_total(path.read_text()))
    calls = {name: max(0, count - sums[0].get(name, 0)) for name, count in sums[1].items()}
    most = dict(sorted(calls.items(), key=lambda item: -item[1])[:5])
    return {**_per(sum(calls.values()) / more, longer["result"]), "most_called": most}


def count(folder, cell, contestant, tool_name):
    """{"tool", "syscalls_per_call", ...}; {"error"} if that run failed."""
    with tempfile.TemporaryDirectory(prefix="pagewire-bench-") as scratch:
        try:
            how = _with_perf if tool_name == "perf" else _with_strace
            return {"tool": tool_name, **how(folder, cell, contestant, scratch)}
        except (launch.Failed, launch.NotOffered, OSError) as error:
            return {"tool": tool_name, "error": str(error)}
