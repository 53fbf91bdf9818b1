"""What CTest and GoogleTest report, counted by suite."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.seconds += other.seconds


def _count_cases(report):
    """A GoogleTest program's cases, from its JSON report; disabled ones do not count."""
    tally = Tally()
    for suite in report.get("testsuites", []):
        for case in suite.get("testsuite", []):
            if case.get("failures"):
                tally.failed += 1
            elif case.get("result") == "SKIPPED":
                tally.skipped += 1
            elif case.get("status") == "RUN":
                tally.passed += 1
    return tally


def _load(path):
    try:
        return json.loads(path.read_text(errors="replace"))
    except (OSError, ValueError):
        return None


def count_test(status, report, why_not_run=""):
    """One CTest test: `status` is its JUnit status, `report` its GoogleTest report or None."""
    if status == "disabled" or (status == "notrun" and why_not_run.startswith("SKIP_")):
        return Tally(skipped=1)
    ok = status == "run"
    if report is None:  # not a GoogleTest program, or it died before it could report
        return Tally(passed=int(ok), failed=int(not ok))
    tally = _count_cases(report)
    if not ok and tally.failed == 0:  # every case passed and then the program failed: a leak, a race at exit
        tally.failed = 1
    return tally


def _cases(junit):
    try:
        return {case.get("name"): case for case in ElementTree.parse(junit).getroot().iter("testcase")}
    except (OSError, ElementTree.ParseError) as error:
        print(f"CTest left no readable report: {error}")
        return {}


def read(junit, reports, suite_of):
    """Tallies by suite and the names of the failed tests; a test that CTest says nothing about has failed.

    junit: CTest's JUnit file. reports: the folder of GoogleTest's JSON reports. suite_of: test name to suite.
    """
    tallies, failed = {}, []
    cases = _cases(junit)
    for name in suite_of:
        case = cases.get(name)
        if case is None:
            tally = Tally(failed=1)
        else:
            reason = case.find("skipped")
            tally = count_test(case.get("status"), _load(reports / f"{name}.json"),
                               "" if reason is None else reason.get("message", ""))
            tally.seconds = float(case.get("time") or 0)
        if tally.failed:
            failed.append(name)
        tallies.setdefault(suite_of[name], Tally()).add(tally)
    return tallies, failed
