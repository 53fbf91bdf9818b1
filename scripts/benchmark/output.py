"""The whole of a run as JSON; docs/benchmarks/README.md describes its fields."""

import json
import pathlib
import re

import build
import machine
import summaries
import targets


def make(recorder, *, missing, **facts):
    """facts: schema, mode, rounds, interrupted, began, took, command."""
    cells, contestants = recorder.output()
    for record in cells:
        summaries.summarize(record, contestants)
    return {
        **facts,
        "commit": machine.commit(build.ROOT),
        "machine": machine.describe(),
        "versions": {**machine.versions(), **_reported(cells, contestants)},
        "missing": {program.name: reason for program, reason in missing.items()},
        "contestants": contestants,
        "targets": targets.evaluate(cells, contestants),
        "lost": targets.lost(cells, contestants),
        "slow_rounds": summaries.slow_rounds(cells),
        "cells": cells,
    }


def _reported(cells, contestants):
    """What programs say of their own version."""
    found = {}
    for record in cells:
        for name, entry in record["contestants"].items():
            for run in entry["runs"]:
                if run.get("result", {}).get("version"):
                    found[contestants[name]["program"]] = str(run["result"]["version"])
    return found


def save(result, path):
    """What contains nothing else is on one line: a run's result, a figure. That is half the size, and is read."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    text = re.sub(r"\{[^{}]*\}", lambda found: re.sub(r"\n\s*", " ", found[0]), text)  # strings have no line breaks
    pathlib.Path(path).write_text(text + "\n")


def load(path, schema):
    """What an earlier run has saved. Targets are judged anew, by today's limits."""
    result = json.loads(pathlib.Path(path).read_text())
    if result.get("schema") != schema:
        raise SystemExit(f"scripts/bench: {path} has schema {result.get('schema')}, this is for {schema}")
    for record in result["cells"]:
        summaries.summarize(record, result["contestants"])
    result["targets"] = targets.evaluate(result["cells"], result["contestants"])
    result["lost"] = targets.lost(result["cells"], result["contestants"])
    return result
