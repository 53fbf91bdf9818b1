"""What a process holds, as /proc tells it."""

import os
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Footprint:
    descriptors: int
    mappings: int
    resident: int  # bytes
    threads: int

    @staticmethod
    def of(pid):
        with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
            mappings = sum(1 for _ in maps)
        return Footprint(len(os.listdir(f"/proc/{pid}/fd")), mappings, resident_bytes(pid),
                         len(os.listdir(f"/proc/{pid}/task")))


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) << 10
    return 0


def tcp_memory_bytes():
    """Of all TCP sockets of the machine."""
    with open("/proc/net/sockstat", encoding="ascii") as sockstat:
        for line in sockstat:
            words = line.split()
            if words[0] == "TCP:":
                return int(words[words.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


class Watch(threading.Thread):
    """The most that a process, and the machine's TCP sockets, held at any moment."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self._pids = pids
        self.most = {pid: 0 for pid in pids}
        self.most_tcp = 0
        self.done = False

    def run(self):
        while not self.done:
            for pid in self._pids:
                try:
                    self.most[pid] = max(self.most[pid], resident_bytes(pid))
                except OSError:
                    return
            self.most_tcp = max(self.most_tcp, tcp_memory_bytes())
            time.sleep(0.02)
