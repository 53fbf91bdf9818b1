"""One payload far larger than the budgets of both ends, piecewise in either direction: right, in little memory.

pieces_test.py PROBE [--gibibytes N]
"""

import argparse
import sys
import time

import probe
from footprint import Watch, resident_bytes, tcp_memory_bytes

_BUDGET = 64 << 20
_SLACK = 64 << 20


def run(program, pair, gibibytes):
    """What was wrong, in a list."""
    before_tcp = tcp_memory_bytes()
    with probe.Server(program, pair, options=["--budget", _BUDGET]) as server:
        before = resident_bytes(server.process.pid)
        began = time.monotonic()
        client = probe.Client(program, pair, server.target, ["--bytes", gibibytes << 30, "--budget", _BUDGET],
                              role="pour")
        watch = Watch([server.process.pid, client.process.pid])
        watch.start()
        said, _ = client.process.communicate()
        seconds = time.monotonic() - began
        watch.done = True
        watch.join()
    wrong = [] if said.strip() == "right" else [f"the client said {said!r}"]
    most = {"server": watch.most[server.process.pid] - before, "client": watch.most[client.process.pid],
            "TCP": watch.most_tcp - before_tcp}
    wrong += [f"{who} held {held} bytes, the budget is {_BUDGET}" for who, held in most.items()
              if held > _BUDGET + _SLACK]
    print(f"{'/'.join(pair)}: {gibibytes} GiB there and back in {seconds:.1f} s, at most "
          f"{', '.join(f'{who} {held >> 20} MiB' for who, held in most.items())}: {wrong or 'right'}", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe")
    parser.add_argument("--gibibytes", type=int, default=1)
    options = parser.parse_args()
    return 1 if sum((run(options.probe, pair, options.gibibytes) for pair in (("copy", "copy"), ("zerocopy", "map"))),
                    []) else 0


if __name__ == "__main__":
    sys.exit(main())
