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
    made = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True, text=True,
                          check=False)
    return f"unshare --net: {made.stderr.strip()}" if made.returncode != 0 else None


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


class Namespace:
    """Lives as long as the process that holds it: nothing is mounted, so that it works in a chroot, too."""

    def __init__(self):
        self._holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"],
                                        stdout=subprocess.PIPE, text=True)
        if self._holder.stdout.readline() != "ready\n":
            raise RuntimeError("unshare --net made no namespace")

    @property
    def pid(self):
        return self._holder.pid

    def command(self, command):
        """The command, to run inside."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *command]

    def run(self, *command):
        _run(*self.command(command))

    def delete(self):
        self._holder.kill()
        self._holder.wait()
        self._holder.stdout.close()


class Pair:
    """Namespaces `client` and `server`. Use with `with`: they are deleted at its end."""

    CLIENT_4, SERVER_4 = "10.77.0.1", "10.77.0.2"
    CLIENT_6, SERVER_6 = "fd77::1", "fd77::2"

    def __init__(self, mtu):
        self._mtu = mtu
        self.client = Namespace()
        self.server = Namespace()

    def __enter__(self):
        try:
            self._connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.client.delete()
        self.server.delete()

    def _connect(self):
        self.client.run("ip", "link", "add", "eth", "mtu", str(self._mtu), "type", "veth", "peer", "eth",
                        "mtu", str(self._mtu), "netns", str(self.server.pid))
        for namespace, four, six in ((self.client, self.CLIENT_4, self.CLIENT_6),
                                     (self.server, self.SERVER_4, self.SERVER_6)):
            namespace.run("ip", "link", "set", "lo", "up")
            namespace.run("ip", "address", "add", f"{four}/24", "dev", "eth")
            namespace.run("ip", "address", "add", f"{six}/64", "dev", "eth", "nodad")
            namespace.run("ip", "link", "set", "eth", "up")

    def set_link(self, up):
        self.client.run("ip", "link", "set", "eth", "up" if up else "down")
        if up:  # a device that goes down loses its IPv6 addresses
            self.client.run("ip", "address", "replace", f"{self.CLIENT_6}/64", "dev", "eth", "nodad")

    def lose(self, percent):
        """Drops so many of the packets that arrive, at either end."""
        for namespace in (self.client, self.server):
            namespace.run(
                "nft",
                "add table inet loss; add chain inet loss input { type filter hook input priority 0; }; "
                f"add rule inet loss input numgen random mod 100 < {percent} drop")
