"""scripts/bench: sets up, builds, measures in rounds, judges the targets, reports. See --help."""

import argparse
import dataclasses
import datetime
import fnmatch
import pathlib
import shlex
import signal
import sys
import time

import build
import contestants
import interleave
import machine
import output
import report
import terminal
import works

_DESCRIPTION = """Measures Pagewire beside bare sockets, gRPC, Cap'n Proto, Thrift and ZeroMQ over loopback, each side a
process of its own, contestants in turn, and says which of the project's targets are met. The quick run takes up to ten
minutes once everything is built. Needs a machine that does nothing else."""

SCHEMA = 1


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=_DESCRIPTION)
    parser.add_argument("--full", action="store_true", help="every size, form, path and mode: hours")
    parser.add_argument("--filter", action="append", default=[], metavar="CELL",
                        help="only cells whose id contains this or matches it as a pattern; may be repeated, or name "
                        "several with commas")
    parser.add_argument("--contestants", action="append", default=[], metavar="NAME",
                        help="only contestants whose id contains this or matches it, likewise")
    parser.add_argument("--rounds", type=int, default=5, help="at least 5 (default), or no target can be judged")
    parser.add_argument("--seconds", type=float, help="of each run (default: 0.25, with --full 1.5)")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured there")
    parser.add_argument("--report", metavar="FOLDER", help="write peers.md, charts and README.md's lost rows there")
    parser.add_argument("--publish", action="store_true", help="the same as --report docs/benchmarks, with peers.json")
    parser.add_argument("--from", dest="source", metavar="FILE", help="measure nothing, report on an earlier --json")
    parser.add_argument("--list", action="store_true", help="show cells and contestants; builds, measures nothing")
    parser.add_argument("--programs", metavar="FOLDER", help="use the programs there; sets up and builds nothing")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def _selected(name, patterns):
    wanted = [pattern for value in patterns for pattern in value.split(",") if pattern]
    return not wanted or any(pattern in name or fnmatch.fnmatch(name, pattern) for pattern in wanted)


def select(cells, options):
    """The cells and contestants that were asked for."""
    chosen = []
    for cell in cells:
        those = tuple(one for one in cell.contestants if _selected(one.id, options.contestants))
        if those and _selected(cell.id, options.filter):
            chosen.append(dataclasses.replace(cell, contestants=those))
    return chosen


def _field(options, say):
    if options.programs:
        return contestants.discover(options.programs)
    if not build.setup():
        say("scripts/setup --bench failed: peers whose packages are missing are left out")
    return contestants.discover(build.PROGRAMS_FOLDER, build.build(say))


def _list(cells, field):
    for cell in cells:
        print(f"{cell.id:<24} " + " ".join(one.id for one in cell.contestants))
    terminal.print_missing({program.name: reason for program, reason in field.missing.items()})


def _measure(options, say):
    field = _field(options, say)
    cells = select(works.Plan(field, options.full, options.seconds).cells(), options)
    if not cells:
        raise SystemExit("scripts/bench: nothing to measure: no cell or contestant matches; --list shows them")
    if options.list:
        _list(cells, field)
        return None
    began, started = datetime.datetime.now(datetime.timezone.utc), time.monotonic()
    recorder, interrupted = interleave.Recorder(cells), False
    try:
        interleave.run(field.folder, cells, options.rounds, say, recorder)
    except KeyboardInterrupt:
        interrupted = True
        say("interrupted; what was measured so far:")
    return output.make(
        recorder, schema=SCHEMA, mode="full" if options.full else "quick", rounds=options.rounds,
        interrupted=interrupted, began=began.isoformat(timespec="seconds"), took=round(time.monotonic() - started),
        command=shlex.join(["scripts/bench", *sys.argv[1:]]), missing=field.missing)


def main(arguments):
    options = _parse(arguments)
    machine.adopt_orphans()
    # As Ctrl-C: what runs is ended, and what was measured is reported.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def say(text):
        print(text, file=sys.stderr, flush=True)

    try:
        result = output.load(options.source, SCHEMA) if options.source else _measure(options, say)
    except build.BuildError as error:
        raise SystemExit(f"scripts/bench: {error}") from error
    if result is None:
        return 0
    if options.json:
        output.save(result, options.json)
    terminal.print_result(result)
    folder = build.ROOT / "docs/benchmarks" if options.publish else options.report
    if folder:
        report.write(result, pathlib.Path(folder))
        if options.publish:
            output.save(result, folder / "peers.json")
        say(f"written to {folder}")
    return 130 if result["interrupted"] and not options.source else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
