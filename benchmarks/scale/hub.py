"""A real node with many neighbours: what each costs in memory, and whether they slow it down.

The node is axld; `leaves` plays the neighbours, each with a key, a TLS link and a routing engine of its own. Memory is
that of axld before the first and after the last neighbour, and again after load. Load goes from leaf to leaf through the
node; what counts is the processor time that axld takes for a packet, since the leaves share the machine with it.
"""

import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "node"), os.path.join(HERE, "..", "..", "tests", "support")]

from about import cpu_seconds, memory_mb  # pylint: disable=wrong-import-position
from axl_testing import Axld  # pylint: disable=wrong-import-position


def settled_memory(pid):
    """Resident and anonymous KiB, once they have stayed the same for two seconds."""
    last, since = None, time.monotonic()
    while time.monotonic() - since < 2:
        now = memory_mb(pid)
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.2)
    return {"rss": last[0] * 1024, "anonymous": last[1] * 1024}


class Hub:
    """A node and so many leaves on it."""

    def __init__(self, binary, tools, folder, count):
        self.count = count
        home = os.path.join(folder, str(count))
        os.mkdir(home)
        self.node = Axld(binary, home, listen=["tls://127.0.0.1:0"], settings={"max_links": 4096})
        self.pid = self.node.process.pid
        self.memory = {"alone": settled_memory(self.pid)}
        port = self.node.uri().rsplit(":", 1)[1].split("?")[0]
        begun = time.monotonic()
        self.leaves = subprocess.Popen([os.path.join(tools, "leaves"), "127.0.0.1", port, str(count)], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.leaves.stdout.readline().strip() != "up":
            raise SystemExit("the leaves did not come up")
        self.joined = time.monotonic() - begun
        self.memory["joined"] = settled_memory(self.pid)

    def load(self, flows, window, seconds):
        """Packets a second, and those axld carries in a second of its processor time."""
        self.leaves.stdin.write(f"{flows} {window} {seconds}\n")
        self.leaves.stdin.flush()
        if not self.leaves.stdout.readline():
            raise SystemExit("the leaves are gone")
        before = cpu_seconds(self.pid)
        result = json.loads(self.leaves.stdout.readline())
        used = cpu_seconds(self.pid) - before
        return {"neighbours": self.count, "flows": flows, "window": window, **result,
                "rate": result["packets"] / result["seconds"], "cpu_us": used / max(1, result["packets"]) * 1e6}

    def idle(self, seconds):
        before = cpu_seconds(self.pid)
        time.sleep(seconds)
        return (cpu_seconds(self.pid) - before) / seconds

    def per_neighbour(self):
        """KiB that each neighbour has added, resident."""
        return {name: (now["rss"] - self.memory["alone"]["rss"]) / self.count for name, now in self.memory.items() if name != "alone"}

    def stop(self):
        self.leaves.stdin.close()
        self.leaves.wait()
        self.node.stop()
