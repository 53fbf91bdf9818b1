"""How scripts/test counts what CTest and GoogleTest report."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/suites"))

import results
from results import Tally


def report(*cases):
    return {"testsuites": [{"testsuite": list(cases)}]}


PASSED = {"status": "RUN", "result": "COMPLETED"}
FAILED = {"status": "RUN", "result": "COMPLETED", "failures": [{"failure": "x"}]}
SKIPPED = {"status": "RUN", "result": "SKIPPED"}
DISABLED = {"status": "NOTRUN", "result": "SUPPRESSED"}


class CountTest(unittest.TestCase):
    def test_cases_of_a_program(self):
        cases = report(PASSED, PASSED, FAILED, SKIPPED, DISABLED)
        self.assertEqual(results.count_test("fail", cases), Tally(passed=2, failed=1, skipped=1))

    def test_command_counts_as_one(self):
        self.assertEqual(results.count_test("run", None), Tally(passed=1))
        self.assertEqual(results.count_test("fail", None), Tally(failed=1))

    def test_failure_after_the_last_case(self):
        self.assertEqual(results.count_test("fail", report(PASSED)), Tally(passed=1, failed=1))

    def test_program_that_died_without_a_report(self):
        self.assertEqual(results.count_test("fail", None), Tally(failed=1))

    def test_not_run_is_skipped(self):
        self.assertEqual(results.count_test("notrun", None, "SKIP_RETURN_CODE=77"), Tally(skipped=1))
        self.assertEqual(results.count_test("disabled", None), Tally(skipped=1))

    def test_program_that_could_not_start_is_a_failure(self):
        self.assertEqual(results.count_test("notrun", None, "Unable to find executable"), Tally(failed=1))


class ReadTest(unittest.TestCase):
    def test_sums_by_suite_and_names_failures(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "a.json").write_text(json.dumps(report(PASSED, PASSED)))
            (folder / "b.json").write_text(json.dumps(report(PASSED, FAILED)))
            (folder / "c.json").write_text("{ truncated")
            junit = folder / "junit.xml"
            junit.write_text('<testsuite><testcase name="a" time="1.5" status="run"/>'
                             '<testcase name="b" time="0.5" status="fail"/>'
                             '<testcase name="c" time="0" status="fail"/></testsuite>')
            suite_of = {"a": "wire", "b": "wire", "c": "call", "lost": "call"}
            tallies, failed = results.read(junit, folder, suite_of)
        self.assertEqual(tallies, {"wire": Tally(3, 1, 0, 2.0), "call": Tally(0, 2, 0, 0.0)})
        self.assertEqual(failed, ["b", "c", "lost"])


if __name__ == "__main__":
    unittest.main()
