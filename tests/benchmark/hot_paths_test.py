"""The guard of instruction counts: what it reads of callgrind's dumps, and that it fails when a path costs more."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import hot_paths

_LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"
_DEARER, _CHEAPER = "find out why, or accept it with --update", "well done; keep it with --update"

# As callgrind writes: names once in full, also where a call mentions them first; inclusive costs after calls=.
_DUMP = """# callgrind format
desc: Trigger: Client Request: echo

positions: line
events: Ir

ob=(1) /build/bin/hot-paths
fl=(1) ???
fn=(1) pagewire::Send()
0 100
+3 20
cob=(2) /usr/lib/x86_64-linux-gnu/libc.so.6
cfi=(2) malloc.c
cfn=(2) malloc
calls=7 0
* 700
cfn=(3) pagewire::Receive()
calls=5 0
0 9999

fn=(3)
0 50

ob=(2)
fn=(2)
0 700

fn=(4) __memcpy_avx_unaligned_erms
0 123456
cfn=(2)
calls=90 0
0 1

ob=(3) /usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30
fn=(5) operator new(unsigned long)
0 30
cob=(2)
cfn=(2)
calls=3 0
0 300
"""


class ProfileTest(unittest.TestCase):
    def test_costs_of_functions_by_themselves_without_the_c_library(self):
        profile = hot_paths.Profile(_DUMP)
        self.assertEqual(profile.name, "echo")
        self.assertEqual(profile.instructions, 100 + 20 + 50 + 30)
        self.assertEqual(profile.top(1), [((_LIBC, "__memcpy_avx_unaligned_erms"), 123456)])

    def test_allocations_are_counted_once(self):
        self.assertEqual(hot_paths.Profile(_DUMP).allocations, 7 + 3)


class CompareTest(unittest.TestCase):
    def wrong(self, instructions, allocations):
        expected = {"tolerance": 0.05, "paths": {"echo": {"instructions": 1000.0, "allocations": 2.0}}}
        return list(hot_paths.compare({"echo": {"instructions": instructions, "allocations": allocations}}, expected))

    def test_within_tolerance(self):
        for instructions in (951, 1000, 1049):
            self.assertEqual(self.wrong(instructions, 2.01), [])

    def test_a_tenth_more(self):
        self.assertEqual(self.wrong(1100, 2), [f"echo: 1100 instructions, +10.0% of 1000: {_DEARER}"])

    def test_one_more_allocation(self):
        self.assertEqual(self.wrong(1000, 3), [f"echo: 3 allocations, +50.0% of 2: {_DEARER}"])

    def test_what_became_cheaper_is_to_be_kept(self):
        self.assertEqual(self.wrong(900, 1), [f"echo: 900 instructions, -10.0% of 1000: {_CHEAPER}",
                                              f"echo: 1 allocations, -50.0% of 2: {_CHEAPER}"])

    def test_paths_that_are_not_compared(self):
        figures = {"instructions": 1.0, "allocations": 0.0}
        expected = {"tolerance": 0.05, "paths": {"old": figures}}
        self.assertEqual(list(hot_paths.compare({"new": figures}, expected)),
                         ["new: is only in the program", "old: is only in the file"])


if __name__ == "__main__":
    unittest.main()
