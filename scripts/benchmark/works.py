"""What is measured: the cells. A cell is one piece of work that several contestants do in turn."""

import os
from dataclasses import dataclass

from contestants import PEER, Contestant

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SIZES = (64 * KIB, MIB, 16 * MIB, 256 * MIB)
MORE, LESS = "more", "less"  # which values of a figure are better

# The figures of results, by the end of their name.
_MORE_IS_BETTER = ("calls_per_s", "gb_per_s", "mapped_fraction")


def better(figure):
    return MORE if figure in _MORE_IS_BETTER else LESS


def size_name(size):
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return f"{size}B"


@dataclass(frozen=True)
class Cell:
    id: str
    title: str
    workload: str
    figure: str  # that contestants are ranked by
    contestants: tuple
    payload_bytes: int = 0
    message_bytes: int = 64
    inflight: int = 1
    touch: bool = False
    pin_cpu: int = -1
    seconds: float = 1.0
    flags: tuple = ()  # of all contestants
    rounds: int = 0  # 0: as many as asked for
    count_syscalls: bool = False

    def arguments(self, contestant):
        """The command line, without the program."""
        arguments = [f"--workload={self.workload}", f"--form={contestant.form}"]
        arguments += [f"--payload_bytes={self.payload_bytes}", f"--message_bytes={self.message_bytes}"]
        arguments += [f"--inflight={self.inflight}", f"--touch={int(self.touch)}", f"--seconds={self.seconds:g}"]
        if self.pin_cpu >= 0:
            arguments.append(f"--pin_cpu={self.pin_cpu}")
        return [*arguments, *self.flags, *contestant.flags]


class Plan:
    """The cells of a run, given the field of programs and whether it is a full one."""

    def __init__(self, field, full, seconds=None):
        self._field = field
        self._full = full
        # A quick run has some 95 runs in a round, each of which takes 0.6 s more than it measures, and 10 minutes.
        self._seconds = seconds or (1.5 if full else 0.25)

    def cells(self):
        cells = [*self._echo(), *self._bulk(), *self._piecewise(), self._mixed(), *self._allocations(), *self._idle()]
        if self._full:
            cells += self._paths()
        return [cell for cell in cells if cell.contestants]

    def _forms(self, family, only=None):
        for program, forms in self._field.forms.items():
            if program.family == family:
                return [Contestant(program, form) for form in forms if only is None or form in only]
        return []

    def _ours(self, form, variant="", *flags):
        return [Contestant(one.program, one.form, variant, flags) for one in self._forms("pagewire", (form,))]

    def _peers(self, only=None):
        """Plain forms of all peers; `only`: family to the forms wanted of it."""
        for program in self._field.forms:
            if program.role == PEER:
                yield from self._forms(program.family, (only or {}).get(program.family))

    def _bulk_peers(self):
        """With the allocator that each is best with, as its program knows; in full runs with every one."""
        if not self._full:
            yield from self._peers({"grpc": ("callback", "generic"), "thrift": ("buffered",)})
            return
        for one in self._peers():
            for allocator in ("malloc", "tcmalloc"):
                yield Contestant(one.program, one.form, allocator, (f"--allocator={allocator}",))

    def _echo(self):
        everyone = (*self._forms("pagewire"), *self._forms("socket", ("echo",)), *self._peers())
        for inflight, figure in ((1, "p50_us"), (32, "calls_per_s")):
            yield Cell(f"echo-64B-{inflight}", f"echo, 64 B, {inflight} in flight", "echo", figure, everyone,
                       inflight=inflight, seconds=self._seconds, count_syscalls=True)
        pinned = everyone if self._full else (
            *self._forms("pagewire"), *self._forms("socket", ("echo",)),
            *self._peers({"grpc": ("callback",), "thrift": ("buffered",), "capnp": (), "zeromq": ()}))
        yield Cell("echo-64B-1-pinned", "echo, 64 B, 1 in flight, client and server on one CPU", "echo",
                   "total_cpu_us_per_call", pinned, pin_cpu=min(os.sched_getaffinity(0)),
                   seconds=self._seconds)

    def _bulk(self):
        wanted = None if self._full else {("put", 64 * KIB, 4, False), ("put", MIB, 4, False), ("get", MIB, 4, False),
                                          ("put", 16 * MIB, 4, False), ("get", 16 * MIB, 4, False),
                                          ("put", 256 * MIB, 1, False)}
        for size in SIZES:
            for workload in ("put", "get"):
                for inflight in (1, 4):
                    for touch in (False, True):
                        if wanted is None or (workload, size, inflight, touch) in wanted:
                            yield self._bulk_cell(workload, size, inflight, touch)

    def _bulk_cell(self, workload, size, inflight, touch):
        mode = "touch" if touch else "carry"
        ours = self._forms("pagewire") if self._full else self._forms("pagewire", ("callback",))
        ours += self._ours("callback", "lanes", "--connections_per_peer=3") if inflight > 1 else []
        if self._full or size == 16 * MIB:
            ours += self._ours("callback", "piecewise", "--piecewise=1")
        by_hand = self._forms("socket", ("mat", "block", "map") if self._full else ("mat",))
        return Cell(f"{workload}-{size_name(size)}-{inflight}-{mode}",
                    f"{workload}, {size_name(size)}, {inflight} in flight, {mode}", workload, "gb_per_s",
                    (*ours, *by_hand, *self._bulk_peers()), payload_bytes=size, inflight=inflight, touch=touch,
                    seconds=self._seconds * (2 if size > 16 * MIB else 1),
                    count_syscalls=self._full or workload == "put")

    def _piecewise(self):
        for workload in ("put", "get"):
            ours = self._forms("pagewire") if self._full else self._forms("pagewire", ("callback",))
            ours = tuple(Contestant(one.program, one.form, "piecewise", ("--piecewise=1",)) for one in ours)
            yield Cell(f"piecewise-{workload}-1GiB", f"{workload}, 1 GiB, consumed piece by piece", workload,
                       "gb_per_s", (*ours, *self._forms("socket", ("block",))), payload_bytes=GIB,
                       seconds=self._seconds * 3)

    def _mixed(self):
        ours = [*self._ours("callback"), *self._ours("callback", "bulk lanes", "--connections_per_peer=2")]
        peers = self._forms("grpc") if self._full else self._forms("grpc", ("callback",))
        return Cell("mixed", "echo, 64 B, one at a time, beside four puts of 1 MiB on one channel", "mixed",
                    "beside_over_alone_p99", (*ours, *peers), payload_bytes=MIB, inflight=4,
                    seconds=self._seconds * 2)

    def _allocations(self):
        ours = tuple(Contestant(one.program, one.form, "allocations counted", ("--count_allocations=1",))
                     for one in self._forms("pagewire"))
        yield Cell("allocations", "allocations of a unary call, client and server, steady state", "echo",
                   "allocations_per_call", ours, message_bytes=8, seconds=self._seconds)

    def _idle(self):
        for count in (1, 2, 100, 10_000):
            yield Cell(f"idle-{count}", f"{count:,} idle connections", "idle", "server_bytes_per_connection",
                       tuple(self._ours("callback", "", f"--connections={count}")),
                       rounds=0 if self._full and count < 10_000 else 1)

    def _paths(self):
        """Every pair of paths and auto, which every cell above has."""
        pairs = [(send, receive) for send in ("copy", "zerocopy", "splice", "file") for receive in ("copy", "map")]
        for workload in ("put", "get"):
            for size in SIZES[:3]:
                forced = [one for send, receive in pairs
                          for one in self._ours("callback", f"{send}/{receive}", f"--send_path={send}",
                                                f"--receive_path={receive}")]
                auto = self._ours("callback", "auto", "--send_path=auto", "--receive_path=auto")
                name = size_name(size)
                yield Cell(f"paths-{workload}-{name}", f"{workload}, {name}, 4 in flight, by path", workload,
                           "gb_per_s", (*auto, *forced), payload_bytes=size, inflight=4,
                           seconds=self._seconds)

