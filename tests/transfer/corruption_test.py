"""Reuses buffers at the first moment the API allows, over every pair of paths, and looks at every line twice.

corruption_test.py PROBE PREMATURE [--seconds N | --bytes N] [--seed N]
PREMATURE is the probe with a ledger that frees buffers when they are handed to the kernel: it must be caught.
"""

import argparse
import random
import sys

import probe

# What is spliced, or sent from a file, stays in the sender's pages until the peer has read it: the premature ledger is
# caught within a second. (With zerocopy over loopback the kernel copies when it delivers, and only what the peer's
# window does not take yet is in danger; tests/netns catches it there, with loss.)
_CANARY_PAIRS = [("splice", "map"), ("file", "copy")]
_CANARY_ATTEMPTS = 10


def run(program, pair, options):
    with probe.Server(program, pair) as server:
        return probe.Client(program, pair, server.target, options).findings()


def check(pair, churn, findings):
    """What is wrong with a run; None if nothing is."""
    if findings["error"]:
        return findings["error"]
    if findings["bytes"] == 0 or findings["checked_by_server"] == 0:
        return "nothing was moved"
    fraction = probe.mapped_fraction(findings)
    if pair == ("zerocopy", "map") and fraction < 0.99:
        return f"only {fraction:.1%} of whole pages were mapped"
    if "map" not in pair and fraction > 0:
        return f"{fraction:.1%} of pages were mapped without being asked to"
    # Three payloads of four lie in files, and those of 64 KiB and more, which have nearly all bytes, go by reference. A
    # slow run has few of the large ones, so less than a quarter is what chance does not do.
    if pair[0] == "file" and not churn and findings["file_bytes"] < findings["put_bytes"] / 4:
        return f"only {findings['file_bytes']} of {findings['put_bytes']} bytes were sent from files"
    if not churn and findings["failed_calls"]:
        return f"{findings['failed_calls']} calls failed"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe")
    parser.add_argument("premature")
    parser.add_argument("--seconds", type=int, default=5, help="for each run")
    parser.add_argument("--bytes", type=int, default=0, help="for each run, instead")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    amount = ["--bytes", options.bytes // 2] if options.bytes else ["--seconds", options.seconds]
    failed = 0
    for pair in probe.PATH_PAIRS:
        for churn in (False, True):
            arguments = [*amount, "--seed", options.seed, *(["--churn"] if churn else [])]
            findings = run(options.probe, pair, arguments)
            wrong = check(pair, churn, findings)
            failed += wrong is not None
            print(f"{'/'.join(pair)}{' with churn' if churn else ''}: {wrong or 'right'}: {findings}", flush=True)
    for pair in _CANARY_PAIRS:
        for attempt in range(_CANARY_ATTEMPTS):
            error = run(options.premature, pair, ["--seconds", 2, "--seed", options.seed + attempt])["error"]
            if "is wrong in the line" in error:
                print(f"{'/'.join(pair)}: a ledger that frees too early: caught: {error}")
                break
        else:
            failed += 1
            print(f"{'/'.join(pair)}: a ledger that frees too early was not caught: this test could not fail")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
