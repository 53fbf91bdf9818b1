"""Charts of a result as SVG, by matplotlib. The same result gives the same bytes."""

import itertools

from wording import figure

_COLOURS = {"ours": "#1f6fb2", "baseline": "#9a9a9a", "peer": "#d98c3f"}


def _bars(record, contestants, name):
    """(label, role, median, least, most), best first."""
    bars = []
    for contestant, entry in record["contestants"].items():
        found = entry["figures"].get(name)
        if found:
            one = contestants[contestant]
            bars.append((one["label"], one["role"], found["median"], found["min"], found["max"]))
    return sorted(bars, key=lambda bar: -bar[2] if name.endswith("_per_s") else bar[2])


def _draw(axes, bars, title, label):
    names = [bar[0] for bar in bars]
    medians = [bar[2] for bar in bars]
    errors = [[bar[2] - bar[3] for bar in bars], [bar[4] - bar[2] for bar in bars]]
    axes.barh(names, medians, xerr=errors, color=[_COLOURS[bar[1]] for bar in bars], height=0.7,
              error_kw={"elinewidth": 1, "capsize": 2, "ecolor": "#333333"})
    axes.invert_yaxis()
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_xlabel(label, fontsize=8)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _groups(result):
    """(file, title, [(record, figure)]): what is drawn on one sheet."""
    cells = result["cells"]

    def sheet(file, title, wanted, name=None):
        drawn = [(record, name or record["figure"]) for record in cells if wanted(record["id"])]
        return file, title, [(record, of) for record, of in drawn if _bars(record, result["contestants"], of)]

    sheets = [sheet("peers_echo.svg", "Small calls", lambda cell: cell.startswith("echo-"))]
    for workload, inflight, mode in itertools.product(("put", "get"), (1, 4), ("carry", "touch")):
        sheets.append(sheet(f"peers_{workload}_{inflight}_{mode}.svg", f"{workload}, {inflight} in flight, {mode}",
                            lambda cell, start=workload + "-", end=f"-{inflight}-{mode}":
                            cell.startswith(start) and cell.endswith(end)))
    sheets.append(sheet("peers_cpu.svg", "CPU per MB, both sides together",
                        lambda cell: cell.startswith(("put-16MiB", "get-16MiB")) and cell.endswith("carry"),
                        "total_cpu_us_per_mb"))
    sheets.append(sheet("peers_piecewise.svg", "1 GiB, piece by piece", lambda cell: cell.startswith("piecewise-")))
    sheets.append(sheet("peers_mixed.svg", "Small calls beside bulk", lambda cell: cell == "mixed"))
    return [one for one in sheets if one[2]]


def write(result, folder):
    """(file, title) of each chart written into `folder`. Charts of an earlier run that this one lacks are removed."""
    import matplotlib  # here: all else works without it
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "pagewire", "svg.fonttype": "none"})
    from matplotlib import pyplot

    for old in folder.glob("peers_*.svg"):
        old.unlink()
    written = []
    for file, title, drawn in _groups(result):
        heights = [0.7 + 0.24 * len(record["contestants"]) for record, _ in drawn]
        sheet, all_axes = pyplot.subplots(len(drawn), 1, figsize=(8, sum(heights) + 0.4), squeeze=False,
                                          gridspec_kw={"height_ratios": heights})
        for axes, (record, name) in zip(all_axes[:, 0], drawn):
            _draw(axes, _bars(record, result["contestants"], name), record["title"],
                  f"{figure(name)}: median, least to most")
        sheet.tight_layout()
        sheet.savefig(folder / file, metadata={"Date": None, "Creator": None})
        pyplot.close(sheet)
        # matplotlib leaves blanks at the ends of lines.
        text = (folder / file).read_text()
        (folder / file).write_text("\n".join(line.rstrip() for line in text.split("\n")))
        written.append((file, title))
    return written
