"""What a TLS port offers, asked by OpenSSL's own client; and what it says to those who do not speak TLS.

openssl_test.py SERVER
"""

import shutil
import socket
import subprocess
import sys

SKIPPED = 77


class Server:
    def __init__(self, program):
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
        tls, plain, self.authority = self._process.stdout.readline().split()
        self.tls, self.plain = int(tls), int(plain)

    def end(self):
        """What it logged."""
        return self._process.communicate("", timeout=60)[1]


class Test:
    def __init__(self, program):
        self._program = program
        self._failed = 0
        self._server = None

    def _check(self, what, right, said):
        self._failed += not right
        print(f"{what}: {'right' if right else 'WRONG'}" + ("" if right else f": {said}"), flush=True)

    def _s_client(self, *options):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self._server.tls}", "-CAfile", self._server.authority,
             "-verify_return_error", "-brief", *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def offers(self):
        code, said = self._s_client("-alpn", "pagewire/1", "-verify_hostname", "server.test")
        self._check("TLS 1.3 with pagewire/1", code == 0 and "Protocol version: TLSv1.3" in said
                    and "Verification: OK" in said, said)
        for version in ("-tls1", "-tls1_1", "-tls1_2"):
            code, said = self._s_client(version, "-cipher", "ALL:@SECLEVEL=0", "-alpn", "pagewire/1")
            self._check(f"nothing older: {version}", code != 0 and "Protocol version" not in said, said)
        code, said = self._s_client("-alpn", "h2,http/1.1")
        self._check("no other protocol", code != 0 and "no application protocol" in said, said)
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
            code, said = self._s_client("-alpn", "pagewire/1", "-ciphersuites", suite)
            self._check(f"suite {suite}", code == 0 and f"Ciphersuite: {suite}" in said, said)
        code, said = self._s_client("-alpn", "pagewire/1", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256")
        self._check("no suite with a short tag", code != 0, said)

    def tickets(self):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self._server.tls}", "-CAfile", self._server.authority,
             "-alpn", "pagewire/1"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60, check=False)
        said = done.stdout + done.stderr
        self._check("no session tickets", "New Session Ticket" not in said and "CONNECTED" in said, said)

    def _send(self, port, data):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(data)
            got = b""
            try:
                while piece := connection.recv(4096):
                    got += piece
            except ConnectionResetError:
                pass
            return got

    def foreigners(self):
        # To a TLS port: an alert comes back, and nothing that is not TLS.
        for name, data in (("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                           ("Pagewire", b"\x89PGW\r\n\x1a\n" + bytes(56)),
                           ("noise", bytes(range(255, 155, -1)))):
            got = self._send(self._server.tls, data)
            self._check(f"{name} at the TLS port", got == b"" or got[:1] == b"\x15", got)

    def _end(self, *logged):
        said = self._server.end()
        for text in logged:
            self._check(f"logged: {text}", text in said, said)

    def run(self):
        # One server each: it logs ten refusals in a second.
        self._server = Server(self._program)
        self.offers()
        self.tickets()
        self._end("does not speak TLS 1.3", "does not offer pagewire/1")
        self._server = Server(self._program)
        self.foreigners()
        self._end("speaks HTTP/1", "the client speaks Pagewire without TLS")
        return 1 if self._failed else 0


def main():
    if shutil.which("openssl") is None:
        print("skipped: there is no openssl; scripts/setup installs it")
        return SKIPPED
    return Test(sys.argv[1]).run()


if __name__ == "__main__":
    sys.exit(main())
