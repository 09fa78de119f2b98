"""What slow and lossy paths leave of two nodes, beside plain kernel TCP on the same path.

    paths.py --axld BINARY --tools FOLDER [--rounds 3] [--only TEXT] [--seconds 5] [--congestion NAME] [--out FOLDER] [--update]

Each path joins two network namespaces; a node lives in each, linked by TLS. `wire` delays and loses packets as netem
would. Every round measures kernel TCP and the nodes in turn with the same load: large messages by one client and by four,
1 KiB messages by four clients alone, and those beside one client's 15 MiB messages. A message counts when the receiver
has said that it has all of it. Kernel TCP has a connection for each client; the nodes have one link. Prints median, min
and max over the rounds and writes `paths.json`, `paths.md` and `paths.svg` to the output folder. Needs root, or user
namespaces.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "support"))

import document  # noqa: E402
import plot  # noqa: E402
from about import commit, machine  # noqa: E402
from axl_testing import Axld, Namespace, Process, until  # noqa: E402
from axl_testing.network import enter  # noqa: E402

# One way: delay in ms, loss in percent, rate in Mbit/s, longest queue in ms; None is a veth pair and nothing else.
PATHS = {
    "no delay": None,
    "50 ms": (25, 0, 0, 1000),
    "50 ms, 1 % loss": (25, 1, 0, 1000),
    "100 Mbit/s, 100 ms queue": (1, 0, 100, 100),
    "1 Gbit/s, 50 ms": (25, 0, 1000, 50),
}
MB = 1 << 20
# Size and clients of the large messages, clients of the small ones.
LOADS = {
    "send 1 MiB, 1 client": (MB, 1, 0),
    "send 1 MiB, 4 clients": (MB, 4, 0),
    "send 15 MiB, 1 client": (15 * MB, 1, 0),
    "send 15 MiB, 4 clients": (15 * MB, 4, 0),
    "1 KiB alone": (15 * MB, 0, 4),
    "1 KiB beside 15 MiB": (15 * MB, 1, 4),
}
METRICS = {"mb_per_second": "MB/s", "p50_ms": "p50 ms", "p99_ms": "p99 ms"}
# Buffers that hold 50 ms of 1 Gbit/s, and more; a kernel's own ceiling for sending is less.
BUFFERS = {"net.ipv4.tcp_wmem": "4096 16384 33554432", "net.ipv4.tcp_rmem": "4096 131072 33554432"}
FROM, TO = "10.98.0.1", "10.98.0.2"


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Path:
    """Two hosts and what joins them."""

    def __init__(self, tools, shape, congestion):
        self.hosts = [Namespace(), Namespace()]
        first, second = self.hosts
        self.wire = None
        if shape is None:
            run(*first.command("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", second.path))
        else:
            self.wire = Process("wire", [os.path.join(tools, "wire"), first.path, second.path, *map(str, shape)])
            self.wire.wait_for_line("ready")
        for host, address in (first, FROM), (second, TO):
            run(*host.command("ip", "address", "add", f"{address}/24", "dev", "wire"))
            run(*host.command("ip", "link", "set", "wire", "mtu", "1500", "txqueuelen", "10000", "up"))
            for name, value in {**BUFFERS, **({"net.ipv4.tcp_congestion_control": congestion} if congestion else {})}.items():
                run(*host.command("sysctl", "-w", f"{name}={value}"))

    def close(self):
        if self.wire:
            self.wire.kill()
        for host in self.hosts:
            host.close()


class Nodes:
    def __init__(self, binary, folder, hosts):
        self.homes = [os.path.join(folder, name) for name in ("sender", "receiver")]
        for home in self.homes:
            os.mkdir(home)
        self.sockets = [os.path.join(home, "api") for home in self.homes]
        settings = [{"bridge_addr": "unix:" + path} for path in self.sockets]
        self.receiver = Axld(binary, self.homes[1], listen=[f"tls://{TO}:0"], settings=settings[1], within=hosts[1])
        self.sender = Axld(binary, self.homes[0], peers=[self.receiver.uri(host=TO)], settings=settings[0], within=hosts[0])
        self.sender.wait_for_peer(self.receiver.key)
        until(lambda: self.sender.api.send(self.receiver.key, b"warm").status == 200, "the first message arrives")
        self.receiver.api.receive()

    def stop(self):
        self.sender.stop()
        self.receiver.stop()


class Bench:
    def __init__(self, options):
        self.options = options
        self.rows = {}  # (path, load) -> {(target, metric): [one value each round]}
        self.congestion = "unknown"

    def round(self):
        for name, shape in PATHS.items():
            loads = [load for load in LOADS if self.options.only in f"{name}: {load}"]
            if not loads:
                continue
            path = Path(self.options.tools, shape, self.options.congestion)
            try:
                known = path.hosts[0].run("sysctl", "-n", "net.ipv4.tcp_congestion_control", text=True)
                self.congestion = known.stdout.strip()
                with tempfile.TemporaryDirectory() as folder:
                    nodes = Nodes(self.options.axld, folder, path.hosts)
                    for load in loads:
                        self.measure(name, load, "tcp", path.hosts[0].path, path.hosts[1].path, TO)
                        self.measure(name, load, "nodes", *nodes.sockets, nodes.receiver.key.hex)
                    nodes.stop()
            finally:
                path.close()

    def measure(self, path, load, *target):
        command = [os.path.join(self.options.tools, "path_load"), *target, self.options.seconds, *LOADS[load]]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:  # a message was refused, lost or damaged
            raise SystemExit(f"{path}: {command} failed: {done.stdout}{done.stderr}")
        found = json.loads(done.stdout)
        row = self.rows.setdefault((path, load), {})
        shown = []
        for metric in METRICS:
            if found[metric] > 0:
                row.setdefault((target[0], metric), []).append(found[metric])
                shown.append(f"{METRICS[metric]} {found[metric]:.4g}")
        print(f"  {path}: {load}: {target[0]}: {', '.join(shown)}", file=sys.stderr)

    # --- What came out ------------------------------------------------------------------------------------------------

    def table(self):
        lines = ["| path | work | metric | nodes: median | min | max | kernel TCP: median | min | max | nodes to kernel TCP |",
                 "|---|---|---|---|---|---|---|---|---|---|"]
        for (path, load), row in self.rows.items():
            for metric, shown in METRICS.items():
                nodes, kernel = row.get(("nodes", metric)), row.get(("tcp", metric))
                if nodes and kernel:
                    ratio = statistics.median(ours / limit for ours, limit in zip(nodes, kernel))
                    figures = " | ".join(f"{of(values):.4g}" for values in (nodes, kernel)
                                         for of in (statistics.median, min, max))
                    lines.append(f"| {path} | {load} | {shown} | {figures} | {ratio:.2f} |")
        return "\n".join(lines)

    def write(self, out):
        os.makedirs(out, exist_ok=True)
        what = {"machine": machine(), "commit": commit(), "congestion_control": self.congestion, "rounds": self.options.rounds,
                "seconds": self.options.seconds}
        rows = [{"path": path, "work": load, **{f"{target}_{metric}": values for (target, metric), values in row.items()}}
                for (path, load), row in self.rows.items()]
        with open(os.path.join(out, "paths.json"), "w", encoding="utf-8") as file:
            json.dump({**what, "rows": rows}, file, indent=1)
        with open(os.path.join(out, "paths.md"), "w", encoding="utf-8") as file:
            file.write(f"{what['machine']}; {what['commit']}; {self.congestion} in the kernel; {what['rounds']} rounds\n\n"
                       f"{self.table()}\n")
        series = {}
        for number, path in enumerate(PATHS, 1):
            row = self.rows.get((path, "send 15 MiB, 1 client"), {})
            for target in "nodes", "tcp":
                if values := row.get((target, "mb_per_second")):
                    series.setdefault(target, []).append((number, statistics.median(values)))
        plot.lines(os.path.join(out, "paths.svg"), series, "15 MiB messages of one client over paths",
                   ", ".join(f"{number}: {path}" for number, path in enumerate(PATHS, 1)), "MB/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axld", required=True)
    parser.add_argument("--tools", required=True, help="folder of path_load and wire")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="only work with this in its name, such as `50 ms, 1 % loss` or `send 1 MiB`")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement; large messages on slow paths take longer")
    parser.add_argument("--congestion", help="the congestion control of both kernels, such as cubic; else the machine's own")
    parser.add_argument("--out", default="build/bench-results")
    parser.add_argument("--update", action="store_true", help="renew benchmarks/RESULTS.md")
    options = parser.parse_args()
    enter(required=True)
    bench = Bench(options)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        bench.round()
    print(bench.table())
    bench.write(options.out)
    if options.update:
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(options.out, "paths.md"), encoding="utf-8") as file:
            document.renew(os.path.join(here, "..", "RESULTS.md"), {"paths": file.read().strip()}, options.out, here)


if __name__ == "__main__":
    main()
