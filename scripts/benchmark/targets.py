"""The targets, and what a run says about each.

A contestant is seen here as its record in the output: family, form, variant, role. Of ours, the form that is best at
the cell's own figure stands for us in all of the cell's rows; of a peer, the form that is best at the row's figure.
"""

from dataclasses import dataclass
from typing import Callable, Optional

import figures
import verdicts
from kinds import comparable, of, ours_in, piecewise, whole
from works import KIB, MIB, MORE, better, size_name


def _with(form_of_ours, variant):
    return lambda one: one["role"] == "ours" and one["form"] == form_of_ours and one["variant"] == variant


_GRPC_TYPED = ("gRPC typed", of("grpc", "sync", "callback"))
_GRPC_BYTES = ("gRPC ByteBuffer", of("grpc", "generic"))
_PEERS = (("gRPC", of("grpc")), ("Cap'n Proto", of("capnp")), ("Thrift", of("thrift")), ("ZeroMQ", of("zeromq")))
_THRIFT, _ZEROMQ = _PEERS[2], _PEERS[3]
_MAT, _BLOCK = ("mat", of("socket", "mat")), ("block", of("socket", "block"))


@dataclass(frozen=True)
class Claim:
    """One figure of ours: against others' (a ratio) or, without others, by itself."""

    cells: tuple
    figure: str
    limit: float
    at_most: bool
    against: tuple = ()  # (title, which contestants)
    ours: Callable = whole
    scale: float = 1.0  # what the figure is divided by before it is shown
    unit: str = ""


@dataclass(frozen=True)
class Target:
    id: str
    title: str
    text: str
    claims: tuple
    beside: Optional[Callable] = None  # contestants whose value is shown beside ours


def _bulk(sizes, inflight, modes):
    return tuple(f"{workload}-{size_name(size)}-{count}-{mode}"
                 for size in sizes for workload in ("put", "get") for count in inflight for mode in modes)


_BOTH = ("carry", "touch")
_SMALL, _MEDIUM = _bulk((64 * KIB,), (4,), _BOTH), _bulk((MIB,), (1, 4), _BOTH)
_LARGE, _CPU = _bulk((16 * MIB, 256 * MIB), (1, 4), ("carry",)), _bulk((16 * MIB,), (1, 4), ("carry",))
_PIECEWISE = ("piecewise-put-1GiB", "piecewise-get-1GiB")
_MOST_RECEIVER_MIB = 1.3 * 4 * 16 + 24  # 16 MiB, 4 in flight

TARGETS = (
    Target("echo-latency", "echo 64 B, 1 in flight, inline handler, p50", "≤ 1.35 × bare socket",
           (Claim(("echo-64B-1",), "p50_us", 1.35, True, (("bare socket", of("socket", "echo")),)),)),
    Target("echo-cpu", "echo 64 B, 1 in flight, one CPU, total CPU per call", "≤ 5 µs",
           (Claim(("echo-64B-1-pinned",), "total_cpu_us_per_call", 5, True, unit="µs"),),
           beside=lambda one: one["role"] != "ours"),
    Target("echo-rate", "echo 64 B, 32 in flight, calls/s", "≥ 5 × gRPC's best, ≥ 2 × Thrift",
           (Claim(("echo-64B-32",), "calls_per_s", 5, False, _PEERS[:1]),
            Claim(("echo-64B-32",), "calls_per_s", 2, False, (_THRIFT,)))),
    Target("bulk-64KiB", "put/get 64 KiB, 4 in flight", "≥ 1.5 × gRPC ByteBuffer, ≥ 1.0 × Thrift buffered",
           (Claim(_SMALL, "gb_per_s", 1.5, False, (_GRPC_BYTES,)),
            Claim(_SMALL, "gb_per_s", 1.0, False, (("Thrift buffered", of("thrift", "buffered")),)))),
    Target("bulk-1MiB", "put/get 1 MiB",
           "≥ 1.3 × gRPC ByteBuffer, ≥ 2 × gRPC typed, ≥ 1.0 × Thrift, ZeroMQ",
           (Claim(_MEDIUM, "gb_per_s", 1.3, False, (_GRPC_BYTES,)),
            Claim(_MEDIUM, "gb_per_s", 2.0, False, (_GRPC_TYPED,)),
            Claim(_MEDIUM, "gb_per_s", 1.0, False, (_THRIFT, _ZEROMQ)))),
    Target("bulk-large", "put/get 16 MiB and 256 MiB, whole, carry",
           "≥ 1.0 × every peer's best, ≥ 1.15 × mat, ≥ 2.3 × gRPC typed",
           (Claim(_LARGE, "gb_per_s", 1.0, False, _PEERS),
            Claim(_LARGE, "gb_per_s", 1.15, False, (_MAT,)),
            Claim(_LARGE, "gb_per_s", 2.3, False, (_GRPC_TYPED,)))),
    Target("piecewise", "put/get 1 GiB consumed piecewise", "≥ 0.95 × block",
           (Claim(_PIECEWISE, "gb_per_s", 0.95, False, (_BLOCK,), ours=piecewise),)),
    Target("bulk-cpu", "CPU per MB, both sides together, 16 MiB", "whole ≤ 0.9 × every peer, piecewise ≤ 0.7 ×",
           (Claim(_CPU, "total_cpu_us_per_mb", 0.9, True, _PEERS),
            Claim(_CPU, "total_cpu_us_per_mb", 0.7, True, _PEERS, ours=piecewise))),
    Target("mixed", "small calls beside saturating bulk, p99 of that alone",
           "≤ 5 × with bulk lanes, ≤ 20 × on one connection",
           (Claim(("mixed",), "beside_over_alone_p99", 5, True, ours=_with("callback", "bulk lanes"), unit="×"),
            Claim(("mixed",), "beside_over_alone_p99", 20, True, ours=_with("callback", ""), unit="×")),
           beside=of("grpc")),
    Target("allocations", "allocations per unary call, steady state, message fields excluded", "0",
           # What is left after one in a hundred calls is a pool that still grew, or the counting itself.
           (Claim(("allocations",), "allocations_per_call", 0.01, True),)),
    Target("receiver-memory", "peak RSS of the receiver, 16 MiB × 4 in flight", "≤ 1.3 × bytes in flight + 24 MiB",
           (Claim(("put-16MiB-4-carry", "put-16MiB-4-touch"), "server_peak_rss_bytes", _MOST_RECEIVER_MIB, True,
                  scale=MIB, unit="MiB"),
            Claim(("get-16MiB-4-carry", "get-16MiB-4-touch"), "client_peak_rss_bytes", _MOST_RECEIVER_MIB, True,
                  scale=MIB, unit="MiB")),
           beside=lambda one: one["role"] == "peer"),
)


class _Cell:
    def __init__(self, record, contestants):
        self.record = record
        self._contestants = contestants

    def runs(self, which):
        return {name: entry["runs"] for name, entry in self.record["contestants"].items()
                if which(self._contestants[name])}

    def best(self, which, figure):
        return figures.best_contestant(self.runs(which), figure)

    def values(self, name, figure):
        return figures.values(self.record["contestants"][name]["runs"], figure)


def _row(target, claim, cell_id, against):
    row = {"target": target.id, "cell": cell_id, "figure": claim.figure, "limit": claim.limit,
           "at_most": claim.at_most, "against": against, "unit": claim.unit if not against else "×"}
    return {**row, "ours": None, "theirs": None, "median": None, "min": None, "max": None, "best": None, "rounds": 0,
            "verdict": verdicts.NOT_MEASURED, "note": ""}


def _fill(row, values, best, limit):
    found = figures.summary(dict(enumerate(values)))
    verdict, note = verdicts.judge(values, best, limit, row["at_most"])
    row.update(found, best=best, verdict=verdict, note=note)
    return row


def _alone(target, claim, cell_id, cell):
    row = _row(target, claim, cell_id, None)
    row["ours"] = cell.best(claim.ours, cell.record["figure"])
    by_round = cell.values(row["ours"], claim.figure) if row["ours"] else {}
    if not by_round:
        return {**row, "verdict": verdicts.INCONCLUSIVE, "note": f"no {claim.figure} of ours"}
    scaled = {number: value / claim.scale for number, value in by_round.items()}
    return _fill(row, list(scaled.values()), figures.best(scaled, claim.figure), claim.limit)


def _against(target, claim, cell_id, cell, title, which):
    row = _row(target, claim, cell_id, title)
    row["ours"], row["theirs"] = cell.best(claim.ours, cell.record["figure"]), cell.best(which, claim.figure)
    if row["ours"] is None or row["theirs"] is None:
        return {**row, "verdict": verdicts.INCONCLUSIVE,
                "note": "no figures of ours" if row["ours"] is None else f"no figures of {title}"}
    ours, theirs = cell.values(row["ours"], claim.figure), cell.values(row["theirs"], claim.figure)
    found = figures.compare(ours, theirs, claim.figure)
    if found is None:
        return {**row, "verdict": verdicts.INCONCLUSIVE, "note": "no round has both"}
    return _fill(row, found["by_round"], found["best"], claim.limit)


def _rows(target, cells):
    for claim in target.claims:
        for cell_id in claim.cells:
            cell = cells.get(cell_id)
            if cell is None:
                yield {**_row(target, claim, cell_id, " or ".join(title for title, _ in claim.against) or None),
                       "note": "not part of this run"}
            elif not claim.against:
                yield _alone(target, claim, cell_id, cell)
            else:
                for title, which in claim.against:
                    yield _against(target, claim, cell_id, cell, title, which)


def _beside(target, cells):
    """What others have where we are judged by a figure of our own."""
    if target.beside is None:
        return []
    found = []
    for claim in target.claims:
        for cell_id in claim.cells:
            if cell_id not in cells:
                continue
            for name in cells[cell_id].runs(target.beside):
                summary = figures.summary(cells[cell_id].values(name, claim.figure))
                entry = summary and {"cell": cell_id, "contestant": name, "unit": claim.unit,
                                     **{key: summary[key] / claim.scale for key in ("median", "min", "max")}}
                if entry and entry not in found:
                    found.append(entry)
    return found


def evaluate(cells, contestants):
    """All targets, each with its rows. cells: the output's records; contestants: id to record."""
    known = {record["id"]: _Cell(record, contestants) for record in cells}
    result = []
    for target in TARGETS:
        rows = list(_rows(target, known))
        result.append({"id": target.id, "title": target.title, "text": target.text, "rows": rows,
                       "verdict": verdicts.worst([row["verdict"] for row in rows]), "beside": _beside(target, known)})
    return result


def lost(cells, contestants):
    """Everyone who is ahead of us in a cell, by the median of ratios of the cell's own figure; worst first."""
    rows = []
    for record in cells:
        cell, figure = _Cell(record, contestants), record["figure"]
        ours = cell.best(ours_in(record["id"]), figure)
        others = {contestants[name]["family"] for name in record["contestants"]} - {"pagewire"}
        for family in sorted(others) if ours else ():
            theirs = cell.best(lambda one: one["family"] == family and comparable(one, record["id"]), figure)
            found = theirs and figures.compare(cell.values(ours, figure), cell.values(theirs, figure), figure)
            if not found:
                continue
            # How far behind, whichever way the figure is read: 2 is half as good.
            behind = 1 / found["median"] if better(figure) == MORE and found["median"] else found["median"]
            if behind > 1:
                rows.append({"cell": record["id"], "figure": figure, "ours": ours, "theirs": theirs,
                             "role": contestants[theirs]["role"], "behind": behind,
                             **{key: found[key] for key in ("median", "min", "max", "best")}})
    return sorted(rows, key=lambda row: -row["behind"])
