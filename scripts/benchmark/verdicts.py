"""Whether a measured figure meets its target, or whether this run cannot tell."""

import figures

MET, NOT_MET, INCONCLUSIVE, NOT_MEASURED = "met", "not met", "inconclusive", "not measured"
LEAST_ROUNDS = 5


def judge(values, best, limit, at_most):
    """The verdict and why it is not a plain one, from the values of all rounds and from best over best (or the best
    value).

    The median decides, with two witnesses. Where the interval that covers the true median (figures.interval) lies on
    one side of the limit, it speaks for the median. Where the limit is inside, best over best must be on the median's
    side, or nothing is said: slow periods of the machine move medians, hardly the best of several rounds.
    """
    if not values:
        return NOT_MEASURED, ""

    def meets(value):
        return value <= limit if at_most else value >= limit

    ordered = sorted(values)
    median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    if len(values) < LEAST_ROUNDS:
        return INCONCLUSIVE, f"{len(values)} rounds, at least {LEAST_ROUNDS} are needed"
    low, high = figures.interval(values)
    if meets(low) == meets(high) or (best is not None and meets(best) == meets(median)):
        return (MET if meets(median) else NOT_MET), ""
    return INCONCLUSIVE, "rounds lie on both sides, and the best ones elsewhere than the median"


_ORDER = (NOT_MET, INCONCLUSIVE, MET)


def worst(verdicts):
    """Of a target's rows; those that were not measured count only if all were not."""
    measured = [verdict for verdict in verdicts if verdict != NOT_MEASURED]
    return min(measured, key=_ORDER.index) if measured else NOT_MEASURED
