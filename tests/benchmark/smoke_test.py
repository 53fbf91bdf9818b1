"""smoke_test.py PROGRAMS: scripts/bench measures the real programs, for a moment; what it measures does not matter."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

_BENCH = pathlib.Path(__file__).resolve().parents[2] / "scripts/benchmark/main.py"
_PROGRAMS = sys.argv.pop(1)


class SmokeTest(unittest.TestCase):
    def test_every_sort_of_cell(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "out.json")
            cells = "echo-64B-1,put-64KiB-4-carry,get-16MiB-4-carry,piecewise-put,mixed,allocations"
            command = [sys.executable, "-B", _BENCH, "--programs", _PROGRAMS, "--rounds", "1", "--seconds", "0.05",
                       "--filter", cells, "--filter", "idle-2", "--contestants", "pagewire/callback,socket"]
            subprocess.run([*command, "--json", path], check=True, stdout=subprocess.DEVNULL)
            result = json.loads(path.read_text())
        self.assertEqual({record["id"] for record in result["cells"]},
                         {"echo-64B-1", "echo-64B-1-pinned", "put-64KiB-4-carry", "get-16MiB-4-carry",
                          "piecewise-put-1GiB", "mixed", "allocations", "idle-2"})
        for record in result["cells"]:
            self.assertIn("pagewire/callback", " ".join(record["contestants"]), record["id"])
            for name, entry in record["contestants"].items():
                self.assertEqual([run.get("error") for run in entry["runs"]], [None], f"{record['id']} {name}")
        echo = result["cells"][0]["contestants"]
        self.assertEqual(set(echo), {"pagewire/callback", "socket/echo"})
        for entry in echo.values():
            for figure in ("calls_per_s", "p50_us", "p99_us", "p999_us", "total_cpu_us_per_call",
                           "client_peak_rss_bytes", "server_peak_rss_bytes"):
                self.assertGreater(entry["figures"][figure]["median"], 0, figure)


if __name__ == "__main__":
    unittest.main()
