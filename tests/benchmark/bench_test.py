"""scripts/bench as a whole, with programs that print canned results: who runs when, and what is said of whom."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts/benchmark"))

import build
import charts
import fake_programs
import interleave
import launch
import machine
import main
import report

OURS = {"calls_per_s": [1000], "p50_us": [7, 8, 9], "client_cpu_us_per_call": [2], "server_cpu_us_per_call": [2]}
PEER = {**OURS, "p50_us": [14, 16, 18]}


class BenchTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.json = self.folder / "out.json"

    def bench(self, *arguments, rounds=3):
        """The result as JSON, and what was printed."""
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors), \
                unittest.mock.patch("syscalls.tool", lambda: None):
            main.main(["--programs", str(self.folder), "--json", str(self.json), "--seconds", "0.1",
                       "--rounds", str(rounds), *arguments])
        result = json.loads(self.json.read_text()) if self.json.exists() else None
        return result, output.getvalue(), errors.getvalue()

    def cell(self, result, cell_id):
        return next(record for record in result["cells"] if record["id"] == cell_id)

    def test_contestants_take_turns(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        fake_programs.install(self.folder, "pagewire-peer-socket", forms=["echo", "mat"], figures=PEER)
        fake_programs.install(self.folder, "pagewire-peer-capnp", forms=["rpc"], figures=PEER)
        result, *_ = self.bench("--filter", "echo-64B-1,echo-64B-32", "--filter", "echo-64B-1")
        ran = [(run["inflight"], run["form"]) for run in fake_programs.log(self.folder) if "pin_cpu" not in run]
        first, second, third = ("callback", "echo", "rpc"), ("echo", "rpc", "callback"), ("rpc", "callback", "echo")
        self.assertEqual(ran, [(inflight, form) for turn in (first, second, third)
                               for inflight in ("1", "32") for form in turn])
        runs = self.cell(result, "echo-64B-1")["contestants"]["pagewire/callback"]["runs"]
        self.assertEqual([(run["round"], run["place"]) for run in runs], [(0, 0), (1, 2), (2, 1)])

    def test_order_gives_everyone_every_place(self):
        places = {(one, interleave.order("ABCD", n).index(one)) for n in range(4) for one in "ABCD"}
        self.assertEqual(len(places), 16)

    def test_figures_and_ratios(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        fake_programs.install(self.folder, "pagewire-peer-socket", forms=["echo"], figures=PEER)
        result, text, _ = self.bench("--filter", "echo-64B-32,echo-64B-1", rounds=5)
        record = self.cell(result, "echo-64B-1")
        self.assertEqual(record["ours"], "pagewire/callback")
        ours = record["contestants"]["pagewire/callback"]["figures"]
        self.assertEqual(ours["total_cpu_us_per_call"]["median"], 4)  # which no program printed
        self.assertIn("echo 64 B, 1 in flight, inline handler, p50", text)
        latency = next(target for target in result["targets"] if target["id"] == "echo-latency")
        self.assertEqual(latency["verdict"], "met")
        self.assertEqual(result["versions"]["pagewire-bench"], "1.0")
        self.assertEqual(result["schema"], 1)

    def test_what_is_lost_comes_first(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=PEER)
        fake_programs.install(self.folder, "pagewire-peer-socket", forms=["echo"], figures=OURS)
        result, text, _ = self.bench("--filter", "echo-64B-1", rounds=5)
        self.assertEqual(result["lost"][0]["theirs"], "socket/echo")
        sections = [line for line in text.splitlines() if line.startswith("==")]
        self.assertEqual(sections[0], "== targets that are not met")
        self.assertLess(text.index("not met"), text.index("== targets\n"))

    def test_a_missing_peer_is_named(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        fake_programs.install(self.folder, "pagewire-peer-grpc", figures=PEER, list_status=1)
        result, text, _ = self.bench("--filter", "echo-64B-1")
        self.assertEqual(set(result["missing"]), {"pagewire-peer-socket", "pagewire-peer-grpc", "pagewire-peer-capnp",
                                                  "pagewire-peer-thrift", "pagewire-peer-zeromq"})
        self.assertIn("it does not run: --list ended with 1", result["missing"]["pagewire-peer-grpc"])
        self.assertIn(f"MISSING: pagewire-peer-thrift there is no {self.folder}/pagewire-peer-thrift", text)
        self.assertIn("pagewire-peer-thrift", report.lost_section(result))

    def test_a_program_that_fails_takes_nobody_with_it(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        fake_programs.install(self.folder, "pagewire-peer-grpc", forms=["sync", "generic"], figures=PEER,
                              fails=["generic"])
        result, text, errors = self.bench("--filter", "echo-64B-32")
        entries = self.cell(result, "echo-64B-32")["contestants"]
        self.assertEqual([run["error"] for run in entries["grpc/generic"]["runs"]],
                         ["ended with 1: connection refused"] * 3)
        self.assertEqual((entries["grpc/generic"]["failed_rounds"], entries["grpc/sync"]["failed_rounds"]), (3, 0))
        self.assertIn("grpc/generic ended with 1: connection refused", errors)
        self.assertIn("== runs that failed", text)

    def test_a_workload_that_is_not_offered_is_no_failure(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        fake_programs.install(self.folder, "pagewire-peer-zeromq", workloads=["put"], figures=PEER)
        result, *_ = self.bench("--filter", "echo-64B-32")
        record = self.cell(result, "echo-64B-32")
        self.assertEqual(record["not_offered"], {"zeromq/callback": "no workload echo"})
        self.assertEqual(list(record["contestants"]), ["pagewire/callback"])
        asked = [run for run in fake_programs.log(self.folder) if run["program"] == "pagewire-peer-zeromq"]
        self.assertEqual(len(asked), 1)

    def test_a_result_without_the_figure_is_a_failure(self):
        fake_programs.install(self.folder, "pagewire-bench", figures={"p50_us": [1]})
        result, *_ = self.bench("--filter", "echo-64B-32", rounds=1)
        run = self.cell(result, "echo-64B-32")["contestants"]["pagewire/callback"]["runs"][0]
        self.assertEqual(run["error"], "its result has no calls_per_s, which is None")

    def test_flags_of_a_cell(self):
        fake_programs.install(self.folder, "pagewire-bench", figures={**OURS, "gb_per_s": [1]})
        self.bench("--filter", "put-16MiB-4-carry", rounds=1)
        runs = fake_programs.log(self.folder)
        self.assertEqual([run.get("connections_per_peer", run.get("piecewise")) for run in runs], [None, "3", "1"])
        self.assertEqual({(run["payload_bytes"], run["inflight"], run["touch"], run["seconds"]) for run in runs},
                         {(str(16 << 20), "4", "0", "0.1")})

    def test_nothing_to_measure(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        with self.assertRaisesRegex(SystemExit, "no cell or contestant matches"):
            self.bench("--filter", "nonsense")

    def test_list_runs_nothing(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        result, text, _ = self.bench("--list", "--full")
        self.assertIsNone(result)
        self.assertEqual(fake_programs.log(self.folder), [])
        for cell_id in ("put-256MiB-4-touch", "get-64KiB-1-carry", "paths-put-16MiB", "idle-10000",
                        "piecewise-get-1GiB"):
            self.assertIn(cell_id, text)

    def test_report(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=PEER)
        fake_programs.install(self.folder, "pagewire-peer-socket", forms=["echo"], figures=OURS)
        documents = self.folder / "documents"
        documents.mkdir()
        (documents / "README.md").write_text(f"# Top\n{report.BEGIN}\nold news\n{report.END}\nbottom\n")
        (documents / "peers_of_old.svg").write_text("")
        with unittest.mock.patch("charts.write", lambda result, folder: [("peers_echo.svg", "Small calls")]):
            self.bench("--filter", "echo-64B-1", "--report", str(documents), rounds=5)
        readme = (documents / "README.md").read_text()
        self.assertTrue(readme.startswith("# Top\n") and readme.endswith("\nbottom\n"))
        self.assertNotIn("old news", readme)
        self.assertIn("| pagewire/callback | socket/echo | ≤ 1.35 × |", readme)
        peers = (documents / "peers.md").read_text()
        self.assertLess(peers.index("## Lost"), peers.index("## Targets"))
        self.assertIn("![Small calls](peers_echo.svg)", peers)
        self.assertIn("scripts/bench", peers)

    def test_report_from_a_file(self):
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        measured, text, _ = self.bench("--filter", "echo-64B-1")
        again = io.StringIO()
        with contextlib.redirect_stdout(again):
            main.main(["--from", str(self.json), "--json", str(self.json)])
        self.assertEqual(again.getvalue(), text)
        self.assertEqual(json.loads(self.json.read_text()), measured)

    def test_readme_without_a_place(self):
        with self.assertRaisesRegex(SystemExit, "no place for what is lost"):
            report.replace_lost("# Top\n", {})

    def test_charts_are_the_same_for_the_same_result(self):
        try:
            import matplotlib  # noqa: F401
        except ImportError:
            self.skipTest("python3-matplotlib is not installed: scripts/setup --bench installs it")
        fake_programs.install(self.folder, "pagewire-bench", figures=OURS)
        result, *_ = self.bench("--filter", "echo-64B-1")
        sheets = []
        for name in ("a", "b"):
            (self.folder / name).mkdir()
            self.assertEqual(charts.write(result, self.folder / name), [("peers_echo.svg", "Small calls")])
            sheets.append((self.folder / name / "peers_echo.svg").read_text())
        self.assertEqual(sheets[0], sheets[1])
        self.assertIn("Pagewire callback", sheets[0])


class BuildTest(unittest.TestCase):
    def test_why_a_peer_is_left_out(self):
        said = "-- Found X\n-- peer thrift: not built: libthrift-dev is missing (a hint)\n-- Configuring done\n"
        self.assertEqual(build.reasons(said),
                         {"pagewire-peer-thrift": "is not built: libthrift-dev is missing (a hint)"})


class LaunchTest(unittest.TestCase):
    def test_the_result_is_the_last_object(self):
        self.assertEqual(launch.parse('talk\n{"a": 1}\n{"a": 2}\nmore talk\n'), {"a": 2})
        with self.assertRaisesRegex(launch.Failed, "printed no result"):
            launch.parse("talk\n")
        with self.assertRaisesRegex(launch.Failed, "printed what is no JSON"):
            launch.parse('{"a": \n')

    def test_another_workload_than_asked_for(self):
        cell = unittest.mock.Mock(workload="put", payload_bytes=1 << 20, inflight=4, touch=True)
        right = {"workload": "put", "payload_bytes": 1 << 20, "inflight": 4, "touch": 1, "gb_per_s": 1.0}
        launch.check(right, "gb_per_s", cell)
        with self.assertRaisesRegex(launch.Failed, "asked for inflight=4 and measured inflight=1"):
            launch.check({**right, "inflight": 1}, "gb_per_s", cell)
        for value in (None, float("nan"), -1, "12", True):
            with self.assertRaisesRegex(launch.Failed, "its result has no gb_per_s"):
                launch.check({**right, "gb_per_s": value}, "gb_per_s", cell)

    def test_figures_that_follow(self):
        self.assertEqual(launch.complete({"alone_p99_us": 10, "beside_p99_us": 60})["beside_over_alone_p99"], 6)
        both_sides = launch.complete({"client_cpu_us_per_mb": 1, "server_cpu_us_per_mb": 2})
        self.assertEqual(both_sides["total_cpu_us_per_mb"], 3)

    def test_what_hangs_is_ended(self):
        with self.assertRaisesRegex(launch.Failed, "did not end within 1 s"):
            launch.execute(["sleep", "600"], 1)

    def test_children_that_are_left_behind_end(self):
        machine.adopt_orphans()
        with tempfile.TemporaryDirectory() as folder:
            child = pathlib.Path(folder, "child")
            launch.execute(["sh", "-c", f"sleep 600 >/dev/null 2>&1 & echo $! > {child}"], 60)
            self.assertFalse(pathlib.Path("/proc", child.read_text().strip()).exists())


if __name__ == "__main__":
    unittest.main()
