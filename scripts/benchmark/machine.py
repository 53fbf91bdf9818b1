"""The machine: what it is, and what it was doing while something was measured."""

import ctypes.util
import os
import pathlib
import platform
import re
import subprocess
import time

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

# Packages whose versions belong to the figures.
_PACKAGES = ("libgrpc++-dev", "libprotobuf-dev", "libabsl-dev", "libcapnp-dev", "libthrift-dev", "libzmq3-dev",
             "libgoogle-perftools-dev", "libtcmalloc-minimal4", "g++", "libc6")


def _text(path):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return ""


def _output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def describe():
    """What a reader needs to compare figures: processor, memory, kernel and its TCP settings."""
    model = re.search(r"^model name\s*: (.*)$", _text("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", _text("/proc/meminfo"), re.MULTILINE)
    return {
        "processor": model[1] if model else platform.machine(),
        "processors": os.cpu_count() or 1,
        "memory_bytes": int(memory[1]) << 10 if memory else 0,
        "virtual": _output("systemd-detect-virt") or ("yes" if " hypervisor" in _text("/proc/cpuinfo") else "unknown"),
        "kernel": platform.release(),
        "congestion_control": _text("/proc/sys/net/ipv4/tcp_congestion_control"),
        "tcp_rmem": _text("/proc/sys/net/ipv4/tcp_rmem").replace("\t", " "),
        "tcp_wmem": _text("/proc/sys/net/ipv4/tcp_wmem").replace("\t", " "),
        "hugepages": _text("/sys/kernel/mm/transparent_hugepage/enabled"),
    }


def versions():
    """Debian's versions of what contestants are built from; empty where there is no dpkg."""
    listing = _output("dpkg-query", "--show", "--showformat=${Package} ${Version} ${db:Status-Status}\n", *_PACKAGES)
    rows = (line.split() for line in listing.splitlines())
    found = {row[0]: row[1] for row in rows if len(row) == 3 and row[2] == "installed"}
    found["compiler"] = (_output("c++", "--version").splitlines() or [""])[0]
    return found


def commit(root):
    """The commit that is built, with "+" where the tree differs from it."""
    git = ("git", "-C", str(root), "-c", "safe.directory=*")
    name = _output(*git, "rev-parse", "--short=12", "HEAD")
    return name + ("+" if name and _output(*git, "status", "--porcelain", "--untracked-files=no") else "")


class Sample:
    """Processor time of the whole machine, in seconds, since it started."""

    def __init__(self, stat=None):
        fields = [int(n) / _TICK for n in (stat or _text("/proc/stat")).splitlines()[0].split()[1:9]]
        user, nice, system, _, _, irq, softirq, self.steal = fields
        self.busy = user + nice + system + irq + softirq
        self.wall = time.monotonic()


# From here on a run counts as disturbed: others had a twentieth of the machine, or its host took a fiftieth.
MOST_OTHERS, MOST_STEAL = 0.05, 0.02


def disturbance(before, after, own_cpu_seconds, processors=None):
    """What else the machine did between two samples, in parts of all its processors."""
    whole = max(after.wall - before.wall, 1e-6) * (processors or os.cpu_count() or 1)
    others = max(0.0, after.busy - before.busy - own_cpu_seconds) / whole
    steal = max(0.0, after.steal - before.steal) / whole
    return {"others": round(others, 3), "steal": round(steal, 3),
            "disturbed": others > MOST_OTHERS or steal > MOST_STEAL}


def load():
    return [float(n) for n in (_text("/proc/loadavg") or "0 0 0").split()[:3]]


def socket_bytes(sockstat=None):
    """Kernel memory of all TCP sockets of the machine."""
    found = re.search(r"^TCP: .*\bmem (\d+)", sockstat or _text("/proc/net/sockstat"), re.MULTILINE)
    return int(found[1]) * _PAGE if found else 0


_BLOCK = bytes(16 << 20)


def probe():
    """Milliseconds of a fixed piece of work, arithmetic and copying: what says that the machine itself is slow, which
    neither its load nor steal shows."""
    began = time.perf_counter()
    total = 0
    for number in range(100_000):
        total += number & 7
    for _ in range(2):
        bytearray(_BLOCK)
    return round((time.perf_counter() - began) * 1e3, 2)


def adopt_orphans():
    """Servers that outlive their client become our children, so that their processor time counts and they end."""
    prctl_set_child_subreaper = 36
    libc = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)
    libc.prctl(prctl_set_child_subreaper, 1, 0, 0, 0)
