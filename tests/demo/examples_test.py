"""The example programs, as a user runs them."""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = argparse.Namespace()


class ServerProcess:
    """A server program, once it has said where it listens."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline()
        listening = re.fullmatch(r"listening on (.*)\n", self.line)
        self.address = listening[1] if listening else None

    def end(self, how=signal.SIGTERM):
        """Its status, and what it said on standard error."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        _, said = self.process.communicate()
        return self.process.returncode, said


class HelloTest(unittest.TestCase):
    def test_greets(self):
        server = ServerProcess(PROGRAMS.hello_server, "127.0.0.1:0")
        self.addCleanup(server.end, signal.SIGKILL)
        done = subprocess.run([PROGRAMS.hello_client, "Ada", f"127.0.0.1:{server.address}"],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "Hello, Ada!\n", ""))

    def test_says_when_nobody_listens(self):
        done = subprocess.run([PROGRAMS.hello_client, "Ada", "127.0.0.1:1"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("hello-client: UNAVAILABLE", done.stderr)


class BulkTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name)

    def start(self, *wrapper, listen="127.0.0.1:0"):
        server = ServerProcess(*wrapper, PROGRAMS.bulk_server, f"--listen={listen}", f"--store={self.path}/store")
        self.addCleanup(server.end, signal.SIGKILL)
        return server

    def client(self, server, *command):
        target = f"127.0.0.1:{server.address}" if server.address.isdigit() else server.address
        return subprocess.run([PROGRAMS.bulk_client, f"--server={target}", *command], capture_output=True, text=True)

    def succeed(self, server, *command):
        done = self.client(server, *command)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def refused(self, server, *command):
        done = self.client(server, *command)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stderr

    def write(self, name, content):
        (self.path / name).write_bytes(content)
        return str(self.path / name)

    def test_a_blob_there_and_back(self):
        server = self.start()
        content = os.urandom(3_000_001)
        source = self.write("source", content)
        put = self.succeed(server, "put", source)
        got = self.succeed(server, "get", "source", f"{self.path}/got")
        self.assertEqual((self.path / "got").read_bytes(), content)
        self.assertRegex(put, r"^[0-9a-f]{32}  3000001 bytes copy/copy, 0 mapped")
        self.assertEqual(got.split()[0], put.split()[0])
        self.succeed(server, "put", source, "another name")
        self.assertRegex(self.succeed(server, "ls"),
                         r"^3000001\t[-0-9]+ [:0-9]+\tanother name\n3000001\t[-0-9]+ [:0-9]+\tsource\n$")
        self.assertRegex(self.succeed(server, "stat", "source"), r"^3000001\t.*\tsource\n$")
        self.succeed(server, "rm", "source")
        self.assertIn("NOT_FOUND", self.refused(server, "get", "source", f"{self.path}/other"))
        self.assertFalse((self.path / "other").exists())
        self.assertEqual(server.end(), (0, ""))

    def test_blobs_outlive_the_server(self):
        server = self.start()
        self.succeed(server, "put", self.write("source", b"content"))
        self.assertEqual(server.end(signal.SIGINT), (0, ""))
        server = self.start()
        self.succeed(server, "get", "source", f"{self.path}/got")
        self.assertEqual((self.path / "got").read_bytes(), b"content")

    def test_names_cannot_escape(self):
        server = self.start()
        source = self.write("source", b"content")
        self.assertIn("INVALID_ARGUMENT: a blob's name must not contain '/': \"../../outside\"",
                      self.refused(server, "put", source, "../../outside"))
        self.assertIn("INVALID_ARGUMENT: a blob's name must not be \".\" or \"..\"",
                      self.refused(server, "put", source, ".."))
        self.assertIn("INVALID_ARGUMENT: a blob's name must not be empty", self.refused(server, "put", source, ""))

    def test_unix_socket(self):
        server = self.start(listen=f"unix:{self.path}/socket")
        self.assertEqual(server.address, f"unix:{self.path}/socket")
        self.succeed(server, "put", self.write("source", b"content"))

    def test_one_server_for_each_store(self):
        self.start()
        second = self.start()
        status, said = second.end()
        self.assertEqual(status, 1)
        self.assertIn(f'FAILED_PRECONDITION: store "{self.path}/store" is in use by another process', said)

    def test_a_full_disk(self):
        store = self.path / "store"
        store.mkdir()
        mount = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                 f'mount -t tmpfs -o size=4m none "{store}" && exec "$@"', "sh"]
        if subprocess.run([*mount, "true"], capture_output=True).returncode != 0:
            self.skipTest("no mount namespaces here")
        server = self.start(*mount)
        self.succeed(server, "put", self.write("small", b"content"), "blob")
        self.assertIn("RESOURCE_EXHAUSTED: cannot write 5000000 bytes: No space left on device",
                      self.refused(server, "put", self.write("large", bytes(5_000_000)), "blob"))
        self.succeed(server, "get", "blob", f"{self.path}/got")
        self.assertEqual((self.path / "got").read_bytes(), b"content")
        self.succeed(server, "put", self.write("fits", bytes(3_000_000)), "after")  # nothing of the failed one is left

    def test_wrong_usage(self):
        for command in ([PROGRAMS.bulk_client], [PROGRAMS.bulk_client, "put"], [PROGRAMS.bulk_client, "dance"],
                        [PROGRAMS.bulk_client, "--send-path=fast", "ls"], [PROGRAMS.bulk_server],
                        [PROGRAMS.bulk_server, "--store=x", "more"]):
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, command)
            self.assertIn("--send-path PATH", done.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("--hello-server", "--hello-client", "--bulk-server", "--bulk-client"):
        parser.add_argument(option, required=True)
    PROGRAMS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest])
