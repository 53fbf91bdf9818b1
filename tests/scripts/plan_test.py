"""Which suites scripts/test runs in which presets."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/suites"))

import plan
from plan import Mode


class PlanTest(unittest.TestCase):
    def test_default(self):
        self.assertEqual(plan.presets(Mode()), ["release", "asan", "tsan", "fuzz"])
        self.assertTrue(plan.selected("transport", "tsan", Mode()))
        self.assertFalse(plan.selected("wire", "tsan", Mode()))
        self.assertFalse(plan.selected("transport", "fuzz", Mode()))

    def test_quick_is_one_preset(self):
        quick = Mode(quick=True)
        self.assertEqual(plan.presets(quick), ["dev"])
        self.assertTrue(plan.selected("install", "dev", quick))
        self.assertFalse(plan.selected("fuzz", "dev", quick))

    def test_unknown_suites_get_the_sanitizers(self):
        self.assertEqual(plan.presets_of("semantics", Mode()), ("release", "asan", "tsan"))

    def test_full_runs_what_is_slow_to_build(self):
        self.assertFalse(plan.selected("codegen", "asan", Mode()))
        self.assertTrue(plan.selected("codegen", "asan", Mode(full=True)))
        self.assertTrue(plan.selected("semantics", "tsan", Mode(full=True)))

    def test_filter_narrows_presets_and_suites(self):
        wire = Mode(filters=("wire",))
        self.assertEqual(plan.presets(wire), ["release", "asan"])
        self.assertTrue(plan.selected("wire", "asan", wire))
        self.assertFalse(plan.selected("call", "asan", wire))

    def test_filter_reaches_fuzz_even_when_quick(self):
        self.assertEqual(plan.presets(Mode(quick=True, filters=("fuzz",))), ["fuzz"])

    def test_label_expression_is_exact(self):
        expression = plan.label_expression(["call", "a.b"])
        self.assertEqual([bool(re.search(expression, s)) for s in ("call", "a.b", "calls", "axb")],
                         [True, True, False, False])


if __name__ == "__main__":
    unittest.main()
