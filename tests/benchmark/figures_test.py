"""The arithmetic of scripts/bench: a benchmark that divides the wrong way round flatters."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/benchmark"))

import figures
import machine
import syscalls
import verdicts


def runs(**by_figure):
    count = len(next(iter(by_figure.values())))
    return [{"round": i, "result": {name: values[i] for name, values in by_figure.items()}} for i in range(count)]


class FiguresTest(unittest.TestCase):
    def test_values_are_those_of_rounds_that_have_them(self):
        of = [{"round": 0, "result": {"gb_per_s": 2.0}}, {"round": 1, "error": "gone"}, {"round": 2, "result": {}},
              {"round": 3, "result": {"gb_per_s": float("nan")}}, {"round": 4, "result": {"gb_per_s": 3}}]
        self.assertEqual(figures.values(of, "gb_per_s"), {0: 2.0, 4: 3})

    def test_summary(self):
        self.assertEqual(figures.summary({0: 5, 1: 1, 2: 3}), {"median": 3, "min": 1, "max": 5, "rounds": 3})
        self.assertEqual(figures.summary({0: 1, 1: 2})["median"], 1.5)
        self.assertIsNone(figures.summary({}))

    def test_ratios_are_within_a_round(self):
        # The machine slowed down by half from round to round; who is how much faster stays.
        ours, theirs = {0: 8, 1: 4, 2: 2}, {0: 4, 1: 2, 2: 1, 3: 7}
        found = figures.compare(ours, theirs, "gb_per_s")
        self.assertEqual((found["median"], found["min"], found["max"], found["rounds"]), (2, 2, 2, 3))
        self.assertEqual(found["by_round"], [2, 2, 2])

    def test_best_over_best_follows_the_figure(self):
        ours, theirs = {0: 2, 1: 4}, {0: 8, 1: 16}
        self.assertEqual(figures.compare(ours, theirs, "gb_per_s")["best"], 4 / 16)
        self.assertEqual(figures.compare(ours, theirs, "p50_us")["best"], 2 / 8)

    def test_no_round_in_common(self):
        self.assertIsNone(figures.compare({0: 1}, {1: 1}, "p50_us"))
        self.assertIsNone(figures.compare({0: 1}, {0: 0}, "p50_us"))

    def test_best_contestant(self):
        candidates = {"slow": runs(p50_us=[9, 9, 9]), "steady": runs(p50_us=[5, 5, 5]),
                      "lucky_once": runs(p50_us=[1, 8, 8]), "failed": [{"round": 0, "error": "x"}]}
        self.assertEqual(figures.best_contestant(candidates, "p50_us"), "steady")
        self.assertEqual(figures.best_contestant({"a": runs(gb_per_s=[1]), "b": runs(gb_per_s=[2])}, "gb_per_s"), "b")
        self.assertIsNone(figures.best_contestant({"failed": candidates["failed"]}, "p50_us"))

    def test_interval(self):
        self.assertEqual(figures.interval([3, 1, 2, 5, 4]), (1, 5))
        self.assertEqual(figures.interval(range(7)), (0, 6))
        self.assertEqual(figures.interval(range(8)), (1, 6))
        self.assertEqual(figures.interval(range(11)), (2, 8))


class VerdictTest(unittest.TestCase):
    def assert_verdict(self, expected, values, best, limit=1.0, at_most=False):
        self.assertEqual(verdicts.judge(values, best, limit, at_most)[0], expected)

    def test_all_rounds_on_one_side(self):
        self.assert_verdict("met", [1.1, 1.2, 1.1, 1.3, 1.0], best=0.9)
        self.assert_verdict("not met", [0.9, 0.8, 0.9, 0.7, 0.99], best=1.1)
        self.assert_verdict("met", [0.9, 0.8, 0.9, 0.7, 1.0], best=1.1, at_most=True)
        self.assert_verdict("not met", [1.1, 1.2, 1.1, 1.3, 1.01], best=0.9, at_most=True)

    def test_rounds_on_both_sides_need_the_best_as_a_witness(self):
        values = [0.9, 1.1, 1.1, 1.2, 1.2]
        self.assert_verdict("met", values, best=1.05)
        self.assert_verdict("inconclusive", values, best=0.95)
        self.assert_verdict("inconclusive", values, best=None)
        self.assert_verdict("not met", values, best=1.05, at_most=True)
        self.assert_verdict("not met", [0.9, 0.9, 0.9, 1.2, 1.2], best=0.95)

    def test_outermost_rounds_stop_to_matter_when_there_are_enough(self):
        self.assert_verdict("inconclusive", [0.5, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1], best=0.9)
        self.assert_verdict("met", [0.5, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1], best=0.9)

    def test_too_few_rounds_decide_nothing(self):
        self.assertEqual(verdicts.judge([2, 2, 2, 2], 2, 1, False), ("inconclusive", "4 rounds, at least 5 are needed"))
        self.assertEqual(verdicts.judge([], None, 1, False), ("not measured", ""))

    def test_worst(self):
        self.assertEqual(verdicts.worst(["met", "inconclusive", "not measured"]), "inconclusive")
        self.assertEqual(verdicts.worst(["inconclusive", "not met", "met"]), "not met")
        self.assertEqual(verdicts.worst(["met", "not measured"]), "met")
        self.assertEqual(verdicts.worst(["not measured"]), "not measured")


class MachineTest(unittest.TestCase):
    def sample(self, wall, user, steal):
        found = machine.Sample(f"cpu {user} 0 0 999 0 0 0 {steal} 0 0\n")
        found.wall = wall
        return found

    def test_what_others_had(self):
        before, after = self.sample(10, 0, 0), self.sample(12, 300, 0)
        # 3 of 4 processor seconds were busy, 2 of them ours.
        self.assertEqual(machine.disturbance(before, after, 2.0, processors=2),
                         {"others": 0.25, "steal": 0.0, "disturbed": True})
        self.assertFalse(machine.disturbance(before, after, 2.9, processors=2)["disturbed"])
        self.assertEqual(machine.disturbance(before, after, 3.5, processors=2)["others"], 0.0)

    def test_steal(self):
        before, after = self.sample(10, 0, 0), self.sample(12, 0, 40)
        self.assertEqual(machine.disturbance(before, after, 0, processors=2),
                         {"others": 0.0, "steal": 0.1, "disturbed": True})

    def test_socket_memory(self):
        text = "sockets: used 12\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 269\nUDP: inuse 0 mem 5\n"
        self.assertEqual(machine.socket_bytes(text) % 269, 0)
        self.assertGreater(machine.socket_bytes(text), 0)
        self.assertEqual(machine.socket_bytes("TCP6: x\n"), 0)


class SyscallsTest(unittest.TestCase):
    def test_perf_intervals(self):
        text = "".join(f"{(i + 1) / 10:.9f},{count},,raw_syscalls:sys_enter,1,100.00,,\n"
                       for i, count in enumerate((1, 5, 1000, 1010, 990, 3)))
        rates = syscalls.perf_rates("# started on a day\n\n" + text)
        self.assertEqual([round(rate) for rate in rates], [10, 50, 10000, 10100, 9900])
        self.assertEqual(round(syscalls.measured(rates, 0.2)), 10050)

    def test_perf_without_a_count(self):
        self.assertEqual(syscalls.perf_rates("0.1,<not counted>,,raw_syscalls:sys_enter,0,0,,\n"), [])
        self.assertEqual(syscalls.measured([], 1), 0.0)

    def test_strace(self):
        text = ("% time     seconds  usecs/call     calls    errors syscall\n"
                "------ ----------- ----------- --------- --------- ----------------\n"
                " 60.00    0.000100           1      1234        19 recvmsg\n"
                " 40.00    0.000000           0         7           read\n"
                "------ ----------- ----------- --------- --------- ----------------\n"
                "100.00    0.000000           0      1241        19 total\n")
        self.assertEqual(syscalls.strace_total(text), {"recvmsg": 1234, "read": 7})


if __name__ == "__main__":
    unittest.main()
