"""A result as tables: (columns, rows of texts). The terminal and the documents show the same ones."""

import verdicts
from works import MORE, better
from wording import figure, number, spread


def _limit(row):
    return f"{'≤' if row['at_most'] else '≥'} {number(row['limit'])} {row['unit']}".strip()


def _measured(row):
    return f"{spread(row)} {row['unit']}".strip() if row["median"] is not None else "–"


def _verdict(row):
    return row["verdict"] + (f": {row['note']}" if row["note"] else "")


def target_rows(result, wanted):
    """The rows of all targets whose verdict is one of `wanted`."""
    columns = ("target", "work", "figure", "ours", "against", "wanted", "measured", "best/best", "verdict")
    rows = []
    for target in result["targets"]:
        for row in target["rows"]:
            if row["verdict"] in wanted:
                theirs = row["theirs"] or row["against"] or "–"
                rows.append((target["title"], row["cell"], figure(row["figure"]), row["ours"] or "–", theirs,
                             _limit(row), _measured(row), number(row["best"]), _verdict(row)))
    return columns, rows


def targets(result):
    """One row for each target."""
    rows = []
    for target in result["targets"]:
        count = {verdict: sum(row["verdict"] == verdict for row in target["rows"])
                 for verdict in (verdicts.MET, verdicts.NOT_MET, verdicts.INCONCLUSIVE, verdicts.NOT_MEASURED)}
        beside = "; ".join(f"{one['contestant']} {spread(one)} {one['unit']}".strip() for one in target["beside"])
        rows.append((target["title"], target["text"], target["verdict"],
                     ", ".join(f"{many} {verdict}" for verdict, many in count.items() if many), beside or "–"))
    return ("target", "wanted", "verdict", "rows", "others' beside it"), rows


def lost(result):
    """Who is ahead of us in a cell."""
    rows = [(row["cell"], figure(row["figure"]), row["ours"], row["theirs"], row["role"],
             f"{number(row['behind'])} ×", spread(row), number(row["best"])) for row in result["lost"]]
    return ("work", "figure", "ours", "ahead of us", "role", "by", "ours over it", "best/best"), rows


def _syscalls(entry):
    counted = entry.get("syscalls") or {}
    if "error" in counted:
        return "failed"
    return number(counted.get("syscalls_per_mb", counted.get("syscalls_per_call")))


def _mib(found):
    return spread(found, 1 << 20) if found else "–"


def _cpu_figure(record):
    bulk = record["payload_bytes"] and record["workload"] != "echo"
    return "total_cpu_us_per_mb" if bulk else "total_cpu_us_per_call"


def cell(record, contestants):
    """One row for each contestant, ours first, then by how it ranks."""
    own, cpu = record["figure"], _cpu_figure(record)
    per = "MB" if cpu.endswith("mb") else "call"
    latency = [name for name in ("p50_us", "p99_us", "p999_us") if name != own]
    shown = [name for name in ([own, "calls_per_s"] if own != "calls_per_s" else [own])
             + latency + ([cpu] if cpu != own else [])
             if any(entry["figures"].get(name) for entry in record["contestants"].values())]
    columns = ("contestant", *(figure(name) for name in shown), "ours over it", "best/best", f"system calls/{per}",
               "client's RSS, MiB", "server's RSS, MiB", "sockets, MiB", "disturbed", "failed")
    rows = []
    for name, entry in sorted(record["contestants"].items(), key=lambda item: _rank(item, record, contestants)):
        ratio = entry.get("ours_over", {}).get(own)
        rows.append((contestants[name]["label"] + (" (ours)" if name == record["ours"] else ""),
                     *(spread(entry["figures"].get(one)) for one in shown), spread(ratio),
                     number(ratio["best"]) if ratio else "–", _syscalls(entry),
                     _mib(entry["figures"].get("client_peak_rss_bytes")),
                     _mib(entry["figures"].get("server_peak_rss_bytes")), number(entry["socket_bytes"] / (1 << 20)),
                     f"{entry['disturbed_rounds']} of {len(entry['runs'])}", str(entry["failed_rounds"])))
    return _without_empty(columns, rows)


def _rank(item, record, contestants):
    name, entry = item
    found = entry["figures"].get(record["figure"])
    value = found["median"] if found else 0
    ranked = -value if better(record["figure"]) == MORE else value
    return found is None, contestants[name]["role"] != "ours", ranked, name


def _without_empty(columns, rows):
    """Leaves out columns that say nothing."""
    kept = [i for i in range(len(columns)) if any(row[i] not in ("–", "0") for row in rows)]
    return tuple(columns[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]


def _all_runs(result):
    for record in result["cells"]:
        for name, entry in record["contestants"].items():
            for run in entry["runs"]:
                yield record, name, entry, run


def count_disturbed(result):
    runs = [run for *_, run in _all_runs(result)]
    return f"{sum(run.get('disturbed', False) for run in runs)} of {len(runs)} runs"


def disturbed(result, most):
    """The runs beside which most else was going on."""
    found = [one for one in _all_runs(result) if one[3].get("disturbed")]
    found.sort(key=lambda one: -(one[3]["others"] + one[3]["steal"]))
    rows = []
    for record, name, entry, run in found[:most]:
        value, usual = run["result"].get(record["figure"]), entry["figures"][record["figure"]]["median"]
        rows.append((record["id"], name, str(run["round"] + 1), f"{run['others']:.0%}", f"{run['steal']:.0%}",
                     f"{number(value)} (median {number(usual)})"))
    return ("work", "contestant", "round", "others' CPU", "steal", "measured then"), rows


def failed(result):
    rows = [(record["id"], name, str(run["round"] + 1), run["error"].replace("\n", " "))
            for record, name, _, run in _all_runs(result) if "error" in run]
    return ("work", "contestant", "round", "error"), rows


def slow_rounds(result):
    rows = [(str(row["round"] + 1), f"{row['median']:.2f} ({row['min']:.2f}–{row['max']:.2f})")
            for row in result["slow_rounds"]]
    return ("round", "time of a fixed piece of work, of the fastest"), rows
