"""Arithmetic over rounds: medians, extremes, and ratios within a round. Values are dicts of round number to value."""

import math
import statistics

from works import MORE, better


def values(runs, figure):
    """Round to value, for the runs that have it. runs: [{"round": n, "result": {...}} or with "error"]."""
    found = {}
    for run in runs:
        value = run.get("result", {}).get(figure)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            found[run["round"]] = value
    return found


def best(of, figure):
    return (max if better(figure) == MORE else min)(of.values())


def summary(of):
    """Median, extremes and number of the values of a round each; None if there is none."""
    if not of:
        return None
    every = of.values()
    return {"median": statistics.median(every), "min": min(every), "max": max(every), "rounds": len(of)}


def ratios(ours, theirs):
    """Ours over theirs in each round that has both."""
    return {number: ours[number] / theirs[number] for number in ours if theirs.get(number)}


def compare(ours, theirs, figure):
    """The summary of ratios, with that of the best of each side; None if no round has both."""
    found = summary(ratios(ours, theirs))
    if found is None:
        return None
    lowest = best(theirs, figure)
    return {**found, "best": best(ours, figure) / lowest if lowest else None,
            "by_round": [ratio for _, ratio in sorted(ratios(ours, theirs).items())]}


def interval(of):
    """The least and the greatest of the values that stay when the outermost are left out, as many as can be so that the
    interval covers the true median with at least nine parts of ten: for 5 to 7 rounds none (0.94 to 0.98), for 8 to 10
    one at each end, for 11 and 12 two."""
    ordered = sorted(of)
    count, dropped = len(ordered), 0
    while count - 2 * (dropped + 1) > 0 and _coverage(count, dropped + 1) >= 0.9:
        dropped += 1
    return ordered[dropped], ordered[count - 1 - dropped]


def _coverage(count, dropped):
    """How likely the median lies between the values that are left when `dropped` are left out at each end."""
    return 1 - 2 * sum(math.comb(count, k) for k in range(dropped + 1)) / 2 ** count


def best_contestant(candidates, figure):
    """The one whose median is best: the form that someone who cares would use. candidates: id to runs. None if no one
    has the figure."""
    medians = {}
    for name, runs in candidates.items():
        found = summary(values(runs, figure))
        if found is not None:
            medians[name] = found["median"]
    if not medians:
        return None
    return (max if better(figure) == MORE else min)(medians, key=medians.get)
