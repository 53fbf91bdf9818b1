"""Two hosts on one machine: network namespaces joined by a pair of veth devices."""

import os
import shutil
import subprocess

SKIPPED = 77


def why_not():
    """Why there can be no namespaces here; None if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "nft"):
        if shutil.which(program) is None:
            return f"there is no {program}; scripts/setup installs it"
    probe = f"pw-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"ip netns add: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", probe], check=False)
    return None


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


class Pair:
    """Namespaces `client` and `server`. Use with `with`: they are deleted at its end."""

    CLIENT_4, SERVER_4 = "10.77.0.1", "10.77.0.2"
    CLIENT_6, SERVER_6 = "fd77::1", "fd77::2"

    def __init__(self, mtu):
        self._mtu = mtu
        self.client = f"pw-{os.getpid()}-c"
        self.server = f"pw-{os.getpid()}-s"

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self._delete()
            raise
        return self

    def __exit__(self, *unused):
        self._delete()

    def _make(self):
        for name in (self.client, self.server):
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        _run("ip", "-n", self.client, "link", "add", "eth", "mtu", str(self._mtu), "type", "veth", "peer", "eth",
             "mtu", str(self._mtu), "netns", self.server)
        for name, four, six in ((self.client, self.CLIENT_4, self.CLIENT_6),
                                (self.server, self.SERVER_4, self.SERVER_6)):
            _run("ip", "-n", name, "address", "add", f"{four}/24", "dev", "eth")
            _run("ip", "-n", name, "address", "add", f"{six}/64", "dev", "eth", "nodad")
            _run("ip", "-n", name, "link", "set", "eth", "up")

    def _delete(self):
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def set_link(self, up):
        _run("ip", "-n", self.client, "link", "set", "eth", "up" if up else "down")
        if up:  # a device that goes down loses its IPv6 addresses
            subprocess.run(["ip", "-n", self.client, "address", "add", f"{self.CLIENT_6}/64", "dev", "eth", "nodad"],
                           capture_output=True, check=False)

    def lose(self, percent):
        """Drops so many of the packets that arrive, at either end."""
        for name in (self.client, self.server):
            _run("ip", "netns", "exec", name, "nft",
                 f"add table inet loss; add chain inet loss input {{ type filter hook input priority 0; }}; "
                 f"add rule inet loss input numgen random mod 100 < {percent} drop")
