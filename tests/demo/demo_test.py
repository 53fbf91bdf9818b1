"""The demo at a small size: demo_test.py PAGEWIRE_DEMO."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

DEMO = ""
SIZE = 64 << 20
KEYS = {"send_path", "receive_path", "bytes", "verified", "gb_per_s", "client_cpu_us_per_mb", "server_cpu_us_per_mb",
        "mapped_fraction", "kernel_copied_fraction", "copied_bytes_by_reason"}


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.temp = pathlib.Path(self.directory.name) / "tmp"
        self.temp.mkdir()
        self.json = pathlib.Path(self.directory.name) / "out.json"

    def command(self, *options):
        return [DEMO, f"--json={self.json}", *options]

    def run_demo(self, *options, **environment):
        return subprocess.run(self.command(*options), capture_output=True, text=True,
                              env={**os.environ, "TMPDIR": str(self.temp), **environment})

    def left_over(self):
        return list(self.temp.iterdir())

    def check(self, run, send_path, receive_path, reason):
        self.assertEqual(set(run), KEYS)
        self.assertEqual(run["send_path"], send_path)
        self.assertEqual(run["receive_path"], receive_path)
        self.assertEqual(run["bytes"], SIZE)
        self.assertIs(run["verified"], True)
        for key in ("gb_per_s", "client_cpu_us_per_mb", "server_cpu_us_per_mb"):
            self.assertGreater(run[key], 0, key)
        copied = run["copied_bytes_by_reason"]
        self.assertGreater(copied["tail"], 0)
        self.assertEqual(run["kernel_copied_fraction"], 1, "over loopback the kernel copies, whatever the path")
        if reason is None:
            self.assertGreaterEqual(run["mapped_fraction"], 0.99)
            self.assertLess(sum(copied.values()), SIZE * 0.01)
        else:
            self.assertEqual(run["mapped_fraction"], 0)
            self.assertEqual(sum(copied.values()), SIZE)
            self.assertGreater(copied[reason], SIZE * 0.9)

    def test_moves_and_verifies(self):
        done = self.run_demo("--size=64M")
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = json.loads(self.json.read_text())["runs"]
        self.assertEqual(len(runs), 3)
        self.check(runs[0], "copy", "copy", "forced")
        self.check(runs[1], "zerocopy", "map", None)
        self.check(runs[2], "auto", "auto", "same_host_copy")
        for label in ("copy/copy", "zerocopy/map", "auto/auto"):
            self.assertIn(label + ": %d bytes" % SIZE, done.stdout)
        self.assertEqual(done.stdout.count("every byte verified on both ends"), 3)
        self.assertIn("copy/copy: 100 %", done.stderr)
        self.assertNotIn("\r", done.stderr)
        self.assertEqual(self.left_over(), [])

    def test_auto_explains_itself(self):
        done = self.run_demo(f"--size={SIZE}", "--send-path=auto", "--receive-path=auto")
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = json.loads(self.json.read_text())["runs"]
        self.assertEqual(len(runs), 1)
        self.check(runs[0], "auto", "auto", "same_host_copy")

    def test_a_small_budget_makes_the_big_file_smaller(self):
        done = self.run_demo("--size=64M", PAGEWIRE_HELD_BUDGET=str(16 << 20))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the big file has 12 MiB instead of 16, because of the held budget of 16 MiB", done.stderr)
        self.assertEqual(json.loads(self.json.read_text())["runs"][0]["bytes"], SIZE)

    def test_no_room_is_said(self):
        done = self.run_demo("--size=64M", PAGEWIRE_HELD_BUDGET="1000000")
        self.assertEqual(done.returncode, 1)
        self.assertIn("RESOURCE_EXHAUSTED: there is no room for files of 8 MiB; the limit is the held budget of 0 MiB",
                      done.stderr)
        self.assertEqual(self.left_over(), [])

    def test_paths_of_later_versions(self):
        done = self.run_demo("--size=2M", "--send-path=fixed")
        self.assertEqual(done.returncode, 1)
        self.assertIn("UNIMPLEMENTED: send path fixed is not part of this version", done.stderr)
        self.assertEqual(self.left_over(), [])

    def test_paths_by_reference(self):
        for path in ("splice", "file"):
            done = self.run_demo(f"--size={SIZE}", f"--send-path={path}", "--receive-path=copy")
            self.assertEqual(done.returncode, 0, done.stderr)
            run = json.loads(self.json.read_text())["runs"][0]
            self.assertEqual(run["send_path"], path)
            self.assertIs(run["verified"], True)

    def test_wrong_options(self):
        for options, message in ((["--size=7Q"], '"7Q" is no size'), (["--size="], '"" is no size'),
                                 (["--size=1023K"], "size 1023K is not within 1M"),
                                 (["--size=99999999999G"], "is not within"), (["--size=-5"], "is no size"),
                                 (["--send-path=fast"], '--send-path is "fast"; use auto, copy'),
                                 (["--nothing"], "see the options"), (["file"], "unexpected argument file")):
            done = self.run_demo(*options)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(message, done.stderr)

    def test_a_json_file_that_cannot_be_written_is_told_before_the_work(self):
        done = subprocess.run([DEMO, "--json=/no/such/place"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write /no/such/place", done.stderr)

    def test_interrupted_it_leaves_nothing(self):
        with subprocess.Popen(self.command("--size=64G"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "TMPDIR": str(self.temp)}) as demo:
            # Its first connection to the server has been made once the store exists.
            while demo.poll() is None and not list(self.temp.glob("*/store/blobs/*")):
                pass
            demo.send_signal(signal.SIGINT)
            _, said = demo.communicate()
        self.assertEqual(demo.returncode, 130)
        self.assertIn("pagewire-demo: interrupted", said)
        self.assertEqual(self.left_over(), [])


if __name__ == "__main__":
    DEMO = sys.argv.pop(1)
    unittest.main()
