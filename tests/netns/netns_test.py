"""Transfers between network namespaces: MTUs, loss, and a link that is cut.

netns_test.py PROBE PREMATURE [--seconds N]
Exits with 77, and says why, where there can be no namespaces.
"""

import argparse
import pathlib
import random
import sys
import time

import namespaces

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "transfer"))
import probe  # noqa: E402

_PAIR = ("zerocopy", "map")

# Where a page and the headers fit into a packet, nearly all pages are mapped; elsewhere all are copied because of
# `mss`.
_MAPPED = {
    (1500, 4): False, (1500, 6): False,
    (4148, 4): True, (4148, 6): False,
    (4168, 4): True, (4168, 6): True,
    (9000, 4): True, (9000, 6): True,
    (65535, 4): True, (65535, 6): True,
}

# Where packets are lost, the kernel may put together what waits in the receive queue (tcp_collapse), and what it has
# put together lies at the start of no page. How much that is depends on how long the queue had to wait: 0.02 to 0.6 %
# of pages in six runs on a busy machine, and more was seen.
_MAPPED_IN_SPITE_OF_LOSS = 0.9


class Test:
    def __init__(self, options):
        self._options = options
        self._failed = 0

    def _say(self, what, wrong, findings):
        self._failed += wrong is not None
        print(f"{what}: {wrong or 'right'}: {findings}", flush=True)

    def _send(self, pair, family, paths, options, program=None, during=None):
        program = program or self._options.probe
        address = pair.SERVER_4 if family == 4 else pair.SERVER_6
        with probe.Server(program, paths, address=address, namespace=pair.server) as server:
            client = probe.Client(program, paths, server.target, options, namespace=pair.client)
            if during:
                during()
            return client.findings()

    @staticmethod
    def _wrong(findings, mapped, at_least=0.99):
        if findings["error"]:
            return findings["error"]
        if findings["bytes"] == 0 or findings["checked_by_server"] == 0:
            return "nothing was moved"
        fraction = probe.mapped_fraction(findings)
        if mapped and fraction < at_least:
            return f"only {fraction:.1%} of whole pages were mapped, not {at_least:.0%}"
        if mapped is False and (fraction > 0 or findings["mss_bytes"] != findings["whole_page_bytes"]):
            return f"{fraction:.1%} of pages were mapped and {findings['mss_bytes']} bytes copied because of mss"
        return None

    def mtus(self):
        for mtu in sorted({mtu for mtu, _ in _MAPPED}):
            with namespaces.Pair(mtu) as pair:
                for family in (4, 6):
                    findings = self._send(pair, family, _PAIR, ["--seconds", self._options.seconds])
                    self._say(f"MTU {mtu}, IPv{family}", self._wrong(findings, _MAPPED[mtu, family]), findings)

    def auto(self):
        with namespaces.Pair(9000) as pair:
            findings = self._send(pair, 4, ("auto", "auto"), ["--seconds", self._options.seconds])
            self._say("auto between two hosts", self._wrong(findings, None), findings)

    def loss(self):
        for mtu, family in ((4148, 4), (9000, 6)):
            with namespaces.Pair(mtu) as pair:
                pair.lose(1)
                for paths in probe.PATH_PAIRS:
                    options = ["--seconds", self._options.seconds, "--seed", self._options.seed]
                    # With churn files take other pages, and one that goes back too early would not show.
                    if paths[0] != "file":
                        options.append("--churn")
                    findings = self._send(pair, family, paths, options)
                    wrong = self._wrong(findings, True if paths == _PAIR else None, _MAPPED_IN_SPITE_OF_LOSS)
                    self._say(f"1 % loss, MTU {mtu}, IPv{family}, {'/'.join(paths)}", wrong, findings)
                # Lost packets are sent again from the sender's pages, so a buffer that goes back too early must show.
                for paths in (_PAIR, ("file", "copy")):
                    findings = self._send(pair, family, paths, ["--seconds", 3 * self._options.seconds],
                                          program=self._options.premature)
                    caught = "is wrong in the line" in findings["error"]
                    self._say(f"{'/'.join(paths)}: a ledger that frees too early", None if caught else "was not caught",
                              findings)

    def cut(self):
        with namespaces.Pair(9000) as pair:
            def cut():
                time.sleep(1)
                pair.set_link(False)
                time.sleep(5)
                pair.set_link(True)

            findings = self._send(pair, 4, _PAIR, ["--seconds", 12], during=cut)
            self._say("a link cut for five seconds", self._wrong(findings, True), findings)

    def run(self):
        self.mtus()
        self.auto()
        self.loss()
        self.cut()
        return 1 if self._failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe")
    parser.add_argument("premature")
    parser.add_argument("--seconds", type=int, default=2, help="for each run")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 30))
    options = parser.parse_args()
    if reason := namespaces.why_not():
        print(f"skipped: {reason}")
        return namespaces.SKIPPED
    print(f"seed {options.seed}", flush=True)
    return Test(options).run()


if __name__ == "__main__":
    sys.exit(main())
