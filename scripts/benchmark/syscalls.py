"""System calls per call and per MB, in a run of its own: counting costs, most of all under strace.

perf counts in the kernel, per interval: the rate within the measured time is divided by the rate of calls that the same
run reports. strace stops the program at every call, which changes what it does, and has only a sum: there the rate of
calls is taken for that of the whole run.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import tempfile

import launch

_INTERVAL_MS = 100
_WARM_UP_SECONDS = 0.5  # of every program, see bench/harness/measure.cc
_LONGER_SECONDS = 0.5  # than a run that measures, so that where time is cut, and how the program ends, matters little
_EVENT = "raw_syscalls:sys_enter"


def tool():
    """"perf" or "strace": what works here; None if neither does."""
    with tempfile.TemporaryDirectory(prefix="pagewire-bench-") as scratch:
        path = pathlib.Path(scratch, "out")
        # Where perf may not count it says so in its output, and is content. Less than an interval it may not see.
        counts = (("perf", _perf(path), rf",\d+,.*{_EVENT}"), ("strace", _strace(path), r"\d total"))
        for name, command, counted in counts:
            if (shutil.which(name) and subprocess.run([*command, "sleep", "0.3"], capture_output=True).returncode == 0
                    and re.search(counted, path.read_text())):
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


def measured(rates, seconds):
    """The mean over the measured time, which ends shortly before the program does."""
    count = max(1, int(seconds * 1000 / _INTERVAL_MS))
    kept = rates[-count - 1:-1] or rates
    return sum(kept) / len(kept) if kept else 0.0


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
    rates = perf_rates(path.read_text())
    if not rates:
        raise launch.Failed("perf has counted nothing")
    return _per(measured(rates, cell.seconds), run["result"])


def _with_strace(folder, cell, contestant, scratch):
    path = pathlib.Path(scratch, "strace")
    run = launch.run(folder, cell, contestant, _strace(path))
    calls = strace_total(path.read_text())
    most = dict(sorted(calls.items(), key=lambda item: -item[1])[:5])
    return {**_per(sum(calls.values()) / (cell.seconds + _WARM_UP_SECONDS), run["result"]), "most_called": most}


def count(folder, cell, contestant, tool_name):
    """{"tool", "syscalls_per_call", ...}; {"error"} if that run failed."""
    with tempfile.TemporaryDirectory(prefix="pagewire-bench-") as scratch:
        try:
            how = _with_perf if tool_name == "perf" else _with_strace
            longer = dataclasses.replace(cell, seconds=cell.seconds + _LONGER_SECONDS)
            return {"tool": tool_name, **how(folder, longer, contestant, scratch)}
        except (launch.Failed, launch.NotOffered, OSError) as error:
            return {"tool": tool_name, "error": str(error)}
