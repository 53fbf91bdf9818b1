"""Every form and workload of the bench's programs: its keys are there, its figures agree with each other, and what a
program does not have it says. contract_test.py PROGRAM..."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

_BYTES = 300_001  # no whole pages, no whole words
_COMMON = {"program", "workload", "form", "payload_bytes", "message_bytes", "inflight", "touch",
           "client_peak_rss_bytes", "server_peak_rss_bytes", "version"}
_LATENCIES = ("p50_us", "p99_us", "p999_us")


def _cpu(unit):
    return [f"{side}_cpu_us_per_{unit}" for side in ("client", "server", "total")]


def _run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


class Contract(unittest.TestCase):
    program = None

    def measure(self, workload, form, *more):
        arguments = [f"--workload={workload}", f"--form={form}", f"--payload_bytes={_BYTES}", "--seconds=0.2", *more]
        done = _run(self.program, *arguments)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        self.assertEqual(len(done.stdout.splitlines()), 1, arguments)
        result = json.loads(done.stdout)
        self.assertLessEqual(_COMMON, set(result), arguments)
        self.assertEqual(result["program"], pathlib.Path(self.program).name)
        self.assertEqual((result["workload"], result["form"]), (workload, form))
        self.assertEqual(result["payload_bytes"], 0 if workload == "echo" else _BYTES)
        for side in ("client", "server"):
            self.assertGreater(result[f"{side}_peak_rss_bytes"], 1 << 20)
        return result

    def ordered(self, result, prefix=""):
        p50, p99, p999 = (result[prefix + key] for key in _LATENCIES)
        self.assertTrue(0 < p50 <= p99 <= p999, result)

    def adds_up(self, result, unit):
        client, server, total = (result[key] for key in _cpu(unit))
        self.assertGreater(total, 0)
        self.assertAlmostEqual(client + server, total, delta=0.003)

    def check_echo(self, form):
        for inflight in (1, 5):
            result = self.measure("echo", form, "--message_bytes=100", f"--inflight={inflight}")
            self.assertEqual((result["message_bytes"], result["inflight"], result["gb_per_s"]), (100, inflight, 0))
            self.assertGreater(result["calls_per_s"], 0)
            self.ordered(result)
            self.adds_up(result, "call")

    def check_bulk(self, workload, form, *more):
        for touch, inflight in ((0, 1), (1, 3)):
            result = self.measure(workload, form, f"--touch={touch}", f"--inflight={inflight}", *more)
            self.assertEqual((result["touch"], result["inflight"]), (touch, inflight))
            # Each call that is counted has moved all of its payload.
            self.assertAlmostEqual(result["gb_per_s"], result["calls_per_s"] * _BYTES / 1e9, delta=0.002)
            self.ordered(result)
            self.adds_up(result, "mb")

    def check_mixed(self, form):
        result = self.measure("mixed", form, "--inflight=2")
        self.ordered(result, "alone_")
        self.ordered(result, "beside_")
        self.assertGreater(result["gb_per_s"], 0)

    def test_every_form(self):
        listed = _run(self.program, "--list")
        self.assertEqual(listed.returncode, 0)
        forms = listed.stdout.split()
        self.assertTrue(forms)
        seen = set()
        for form in forms:
            for workload in ("echo", "put", "get", "mixed"):
                with self.subTest(form=form, workload=workload):
                    done = _run(self.program, f"--workload={workload}", f"--form={form}", "--seconds=0.01",
                                "--payload_bytes=1000")
                    if done.returncode == 2:
                        self.assertIn(workload, done.stderr)
                        continue
                    seen.add(workload)
                    if workload == "echo":
                        self.check_echo(form)
                    elif workload == "mixed":
                        self.check_mixed(form)
                    else:
                        self.check_bulk(workload, form)
        self.assertEqual(seen, {"echo", "put", "get", "mixed"})

    def test_unknown_names_are_told(self):
        for arguments in (["--workload=nonsense"], ["--workload=echo", "--form=nonsense"]):
            done = _run(self.program, *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("nonsense" if "--form=nonsense" in arguments else "--workload", done.stderr)

    def test_pinned_and_written_to_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            done = _run(self.program, "--workload=echo", "--seconds=0.1", "--pin_cpu=0", f"--json={file.name}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(file.read().decode(), done.stdout)
        self.assertEqual(_run(self.program, "--workload=echo", "--pin_cpu=1000").returncode, 2)


class Pagewire(Contract):
    """What only pagewire-bench has."""

    def test_piecewise(self):
        for form in ("callback", "blocking", "coroutine"):
            for workload in ("put", "get"):
                with self.subTest(form=form, workload=workload):
                    self.check_bulk(workload, form, "--piecewise=1")

    def test_allocations_are_counted(self):
        few = self.measure("echo", "callback", "--count_allocations=1", "--message_bytes=8")
        many = self.measure("echo", "callback", "--count_allocations=1", "--message_bytes=1000")
        for result in few, many:
            self.assertAlmostEqual(result["client_allocations_per_call"] + result["server_allocations_per_call"],
                                   result["allocations_per_call"], delta=0.003)
        # A string that does not fit into itself is one more at the server, at least, and counting sees it.
        self.assertGreater(many["server_allocations_per_call"], few["server_allocations_per_call"] + 0.9)


def main(programs):
    suite = unittest.TestSuite()
    for program in programs:
        kind = Pagewire if pathlib.Path(program).name == "pagewire-bench" else Contract
        case = type(pathlib.Path(program).name, (kind,), {"program": program})
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
