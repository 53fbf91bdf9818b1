"""scripts/test: plans, builds, runs, and sums up. See --help."""

import argparse
import sys
import time

import plan
from preset import Preset
from results import Tally

_DESCRIPTION = """Builds and runs the tests. Default: every suite in the release preset, those of the library in asan
and tsan too, and a short run of each fuzz target."""


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/test", description=_DESCRIPTION)
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="the dev preset only: no sanitizers, no fuzzing")
    extent.add_argument("--full", action="store_true", help="also what takes minutes, and longer fuzzing")
    parser.add_argument("--filter", action="append", default=[], metavar="NAME",
                        help="only this suite; may be repeated, or name several with commas")
    parser.add_argument("--list", action="store_true", help="show the suites and their presets, run nothing")
    options = parser.parse_args(arguments)
    filters = tuple(name for value in options.filter for name in value.split(",") if name)
    return plan.Mode(options.quick, options.full, filters), options.list


def _duration(seconds):
    return f"{seconds / 60:.1f} min" if seconds >= 100 else f"{seconds:.1f} s"


class Run:
    """The rows of the summary, and everything that failed."""

    def __init__(self, mode):
        self._mode = mode
        self._rows = []  # (suite, preset, Tally)
        self._builds = []  # (preset, seconds)
        self._failed = []  # "preset/test"

    def preset(self, name):
        preset = Preset(name, self._mode)
        began = time.monotonic()
        print(f"== {name}", flush=True)
        suite_of = preset.tests() if preset.configure() else None
        if suite_of == {}:
            return
        built = suite_of is not None and preset.build(sorted(set(suite_of.values())))
        self._builds.append((name, time.monotonic() - began))
        if not built:
            self._rows.append(("build", name, Tally(failed=1)))
            self._failed.append(f"{name}/build")
            return
        tallies, failed = preset.run(suite_of)
        self._rows += [(suite, name, tally) for suite, tally in sorted(tallies.items())]
        self._failed += [f"{name}/{test}" for test in failed]

    def summarize(self):
        """Prints the tables; the exit status."""
        if self._rows:
            print(f"\n{'suite':<12} {'preset':<8} {'passed':>7} {'failed':>7} {'skipped':>8} {'time':>9}")
        for suite, preset, tally in sorted(self._rows):
            print(f"{suite:<12} {preset:<8} {tally.passed:>7} {tally.failed:>7} {tally.skipped:>8} "
                  f"{_duration(tally.seconds):>9}")
        if self._builds:
            print("\nbuilds: " + ", ".join(f"{preset} {_duration(seconds)}" for preset, seconds in self._builds))
        if self._failed:
            print("failed: " + " ".join(self._failed))
        total = Tally()
        for _, _, tally in self._rows:
            total.add(tally)
        if total.passed + total.failed == 0:
            print("no test ran" + (f": no suite is called {' or '.join(self._mode.filters)}; "
                                   "scripts/test --list shows them" if self._mode.filters else ""))
        print(f"{total.passed} passed, {total.failed} failed" + (f", {total.skipped} skipped" if total.skipped else ""))
        return 0 if total.passed and not total.failed else 1


def _list(mode):
    suites = {}
    for name in plan.presets(mode):
        preset = Preset(name, mode)
        if not preset.configure():
            return 1
        for suite in preset.tests().values():
            suites.setdefault(suite, {}).setdefault(name, 0)
            suites[suite][name] += 1
    for suite in sorted(suites):
        print(f"{suite:<12} " + ", ".join(f"{preset} ({count})" for preset, count in suites[suite].items()))
    return 0


def main(arguments):
    mode, listing = _parse(arguments)
    if listing:
        return _list(mode)
    run = Run(mode)
    try:
        for name in plan.presets(mode):
            run.preset(name)
    except KeyboardInterrupt:
        print("\ninterrupted")
        run.summarize()
        return 130
    return run.summarize()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
