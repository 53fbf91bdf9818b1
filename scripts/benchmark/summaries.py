"""Adds to the records what follows from their runs: medians and extremes of every figure, ratios of ours to each."""

import figures
from kinds import ours_in


def _numeric(runs):
    names = []
    for run in runs:
        names += [name for name, value in run.get("result", {}).items()
                  if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in names]
    return names


# What was asked for, and not found.
_NOT_FIGURES = {"payload_bytes", "message_bytes", "inflight", "touch", "on_loops", "connections_per_peer", "piecewise",
                "pin_cpu", "seconds", "connections"}


def _compared(record):
    """The figures that ours are compared by: the cell's own, and CPU."""
    return dict.fromkeys((record["figure"], "total_cpu_us_per_mb", "total_cpu_us_per_call"))


def summarize(record, contestants):
    """In place. Ours is the contestant of ours whose median of the cell's figure is best."""
    entries = record["contestants"]
    for entry in entries.values():
        runs = entry["runs"]
        entry["figures"] = {name: figures.summary(figures.values(runs, name))
                            for name in _numeric(runs) if name not in _NOT_FIGURES}
        entry["socket_bytes"] = max((run.get("socket_bytes", 0) for run in runs), default=0)
        entry["disturbed_rounds"] = sum(run.get("disturbed", False) for run in runs)
        entry["failed_rounds"] = sum("error" in run for run in runs)
    ours = figures.best_contestant({name: entry["runs"] for name, entry in entries.items()
                                    if ours_in(record["id"])(contestants[name])}, record["figure"])
    record["ours"] = ours
    for name, entry in entries.items():
        if ours is None or name == ours:
            continue
        compared = {figure: figures.compare(figures.values(entries[ours]["runs"], figure),
                                            figures.values(entry["runs"], figure), figure)
                    for figure in _compared(record)}
        entry["ours_over"] = {figure: found for figure, found in compared.items() if found}


def slow_rounds(records):
    """For each round how much slower than in the fastest one the fixed piece of work ran: the median over cells."""
    by_round = {}
    for record in records:
        for entry in record["rounds"]:
            by_round.setdefault(entry["round"], []).append(entry["probe_ms"])
    fastest = min((probe for probes in by_round.values() for probe in probes), default=0)
    return [{"round": number, **figures.summary(dict(enumerate(probe / fastest for probe in probes)))}
            for number, probes in sorted(by_round.items()) if fastest]
