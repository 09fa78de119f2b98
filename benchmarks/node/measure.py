"""Runs load against nodes, and against the limits of the machine, in turn; repeats it; says what came out.

    measure.py --axld BINARY --tools FOLDER [--rounds 5] [--only TEXT] [--quick] [--out FOLDER] [--update]

Every round measures the limits (an HTTP server with no network behind it, kernel TCP, TLS, the cipher alone) beside the
nodes, so each figure also stands as a ratio within one round: machines change their speed, ratios stay. What is counted
has been delivered and compared. Prints median, min and max over the rounds and writes `results.json`, `results.md`,
`throughput.svg` and `latency.svg` to the output folder.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "support"))

import document  # noqa: E402
import plot  # noqa: E402
import report  # noqa: E402
from about import commit, cpu_seconds, machine, memory_mb  # noqa: E402
from start_up import first_message  # noqa: E402
from targets import Chain, Null, free_ports  # noqa: E402

CHAIN, SMALL_CHAIN = "limit cipher, TLS and loopback, 16000 B packets", "limit cipher, TLS and loopback, 1245 B packets"
LIMITS = {"limit kernel TCP": ("tcp", 16000), "limit TLS": ("tls", 16000), "limit cipher, 16000 B packets": ("cipher", 16000),
          "limit cipher, 1245 B packets": ("cipher", 1245), CHAIN: ("chain", 16000), SMALL_CHAIN: ("chain", 1245)}
LARGE = 1 << 20
DIRECT_ONLY = {"rest", "growth"}  # loads that look at one node, new, with no other beside it
RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "RESULTS.md")


def enough(count, scale, size):
    """So many messages, scaled, but no fewer than show a rate: the first ones of a size find neither window nor memory ready."""
    return int(max(count * scale, min(count, 256e6 / size, 2000)))


class Bench:
    def __init__(self, options):
        self.options = options
        self.rows = {}  # name -> {metric: [one value each round]}

    # --- Running ------------------------------------------------------------------------------------------------------

    def tool(self, name, *arguments):
        command = [os.path.join(self.options.tools, name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:  # a message was lost, came twice or was damaged, or an answer was wrong
            raise SystemExit(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def micro(self, names, seconds):
        """What google benchmark says of each run; `-` in front of the names takes all others."""
        runs = self.tool("micro", f"--benchmark_filter={names}", "--benchmark_format=json", f"--benchmark_min_time={seconds}")["benchmarks"]
        for run in runs:
            if "error_message" in run:
                raise SystemExit(f"{run['name']}: {run['error_message']}")
        return runs

    def wanted(self, name):
        return not self.options.only or self.options.only in name

    def add(self, name, **metrics):
        row = self.rows.setdefault(name, {})
        for metric, value in metrics.items():
            row.setdefault(metric, []).append(value)
        print(f"  {name}: " + ", ".join(f"{metric} {value:.4g}" for metric, value in metrics.items()), file=sys.stderr)

    def round(self, folder):
        """What is compared runs one after the other, since machines change their speed: a load on each target in turn, the
        limits in front of the large messages."""
        scale = 0.1 if self.options.quick else 1
        binary, tools, service = self.options.axld, self.options.tools, free_ports(1)[0]
        kinds = {"null": lambda: Null(tools), "direct": lambda: Chain(binary, folder, 2, service=service),
                 "one hop": lambda: Chain(binary, folder, 3, service=service),
                 "mtu 1280": lambda: Chain(binary, folder, 2, {"mtu": 1280}, service)}
        loads = {"rest": self.rest, "growth": self.growth, "round trips": self.round_trips, "sends, small": self.small_sends,
                 "calls": self.calls, "sends, large": self.large_sends}
        targets = {}
        try:
            for name, load in loads.items():
                if load == self.large_sends:
                    self.limits(scale)
                wanted = [kind for kind in kinds if self.wanted(f"{kind} {name}") and (kind == "direct" or name not in DIRECT_ONLY)]
                for kind in wanted:
                    targets[kind] = targets.get(kind) or kinds[kind]()
                for work in load(scale, service):
                    for kind in wanted:
                        work(kind, targets[kind])
        finally:
            for target in targets.values():
                target.stop()
        if self.wanted("library"):
            self.library(scale)
        if self.wanted("game loop"):
            self.game_loop(scale)
        if self.wanted("parts"):
            self.parts(scale)
        if self.wanted("start"):
            times = [first_message(binary, folder) * 1000 for _ in range(2 if self.options.quick else 5)]
            self.add("start, until the first message is delivered", ms=statistics.median(times))

    # --- The loads ----------------------------------------------------------------------------------------------------

    def limits(self, scale):
        for name, (mode, packet) in LIMITS.items():
            if self.wanted(name):
                found = self.tool("stream_limits", mode, packet, 1000 * scale)
                self.add(name, mb_per_second=found["mb_per_second"], cpu_seconds_per_gb=found["cpu_seconds_per_gb"])

    # Each of these yields what is to be done to every target in turn.

    def rest(self, _scale, _service):
        """What a node costs that has nothing to do."""
        seconds = 3 if self.options.quick else 20

        def work(_kind, target):
            before = {side: cpu_seconds(pid) for side, pid in target.pids.items()}
            time.sleep(seconds)
            for side, pid in target.pids.items():
                rss, anonymous = memory_mb(pid)
                self.add(f"direct rest, {side}", rss_mb=rss, anonymous_mb=anonymous,
                         cpu_percent=(cpu_seconds(pid) - before[side]) / seconds * 100)
        yield work

    def growth(self, scale, _service):
        """What stays in memory after many messages; the nodes are new."""
        count = int(10000 * scale)

        def work(_kind, target):
            self.messages(f"direct growth, {count} sends of 10 KiB", target, count, 10240, 1)
            for side, pid in target.pids.items():
                rss, anonymous = memory_mb(pid)
                self.add(f"direct growth, {side} afterwards", rss_mb=rss, anonymous_mb=anonymous)
        yield work

    def library(self, scale):
        """Two nodes in one process, without HTTP: sessions, and messages with receipts."""
        for run in self.micro("session_messages|sent_messages", 2 * scale):
            work, *arguments = run["name"].split("/")
            size, *at_once = (argument.split(":")[1] for argument in arguments if ":" in argument)
            name = f"library {work.replace('_', ' ')}, {size} B" + "".join(f", {count} under way" for count in at_once)
            self.add(name, per_second=run["items_per_second"], mb_per_second=run["bytes_per_second"] / 1e6,
                     cpu_seconds_per_gb=run["cpu_time"] / run["real_time"] / run["bytes_per_second"] * 1e9)

    def game_loop(self, scale):
        """Two nodes stepped by one frame loop, 60 frames a second: what a call of poll() takes of a frame."""
        seconds = str(60 * scale)
        example = os.path.join(self.options.tools, "..", "examples", "example_game_loop")
        programs = {"limit": [os.path.join(self.options.tools, "null_frames"), seconds],
                    "by session": [example, seconds], "by messages": [example, seconds, "messages"]}
        for kind_of_loop, program in programs.items():
            done = subprocess.run(program, capture_output=True, text=True, check=False)
            if done.returncode != 0:  # a state was lost or came in the wrong order
                raise SystemExit(f"{program} failed: {done.stdout}{done.stderr}")
            for line in done.stdout.splitlines():
                if "calls of poll()" in line:
                    phase = line.split(",")[0]
                elif costs := re.findall(r"([\d.]+) us", line):
                    kind = line[:line.index("median")].strip()
                    work = phase if kind == "time" else f"{phase}, {kind}"
                    self.add(f"game loop {kind_of_loop}, {work}", **dict(zip(("p50_us", "p99_us", "worst_us"), map(float, costs))))

    def parts(self, scale):
        """Codecs, ciphers, forwarding, TCP, HTTP and the queue, each alone."""
        for run in self.micro("-session_messages|sent_messages", 0.2 * scale):
            more = {"mb_per_second": run["bytes_per_second"] / 1e6} if "bytes_per_second" in run else {}
            self.add(f"part {run['name'].replace('_', ' ')}", ns=run["cpu_time"], **more)

    def round_trips(self, scale, _service):
        for size in 64, 1024:
            def work(kind, target, size=size):
                found = self.tool("message_load", target.send_port, target.recv_port, target.key, int(4000 * scale), size, "round-trip")
                self.add(f"{kind} round trip {size} B", p50_us=found["p50_us"], p99_us=found["p99_us"])
            yield work

    def sends(self, scale, loads):
        for size, clients, count in loads:
            def work(kind, target, size=size, clients=clients, count=count):
                self.messages(f"{kind} send {size} B, {clients} client{'s' if clients > 1 else ''}", target,
                              enough(count, scale, size), size, clients)
            yield work

    def small_sends(self, scale, _service):
        sizes = [1024] if self.options.quick else [64, 1024, 16 * 1024, 256 * 1024]
        return self.sends(scale, [*((size, 1, min(20000, 400e6 / size)) for size in sizes), (1024, 8, 40000), (1024, 64, 40000)])

    def large_sends(self, scale, _service):
        return self.sends(scale, [(LARGE, 1, 400), (LARGE, 4, 400), (15 * LARGE, 1, 32), (15 * LARGE, 4, 32)])

    def calls(self, scale, service):
        for clients in 1, 8, 64:
            def work(kind, target, clients=clients):
                before = {side: cpu_seconds(pid) for side, pid in target.pids.items()}
                count = max(1, int(20000 * scale / clients))
                found = self.tool("mcp_load", target.send_port, target.key, "bench", service, "calls", count, 100, clients)
                spent = sum(cpu_seconds(pid) - before[side] for side, pid in target.pids.items())
                self.add(f"{kind} mcp, {clients} client{'s' if clients > 1 else ''}", per_second=found["per_second"],
                         p50_us=found["p50_us"], p99_us=found["p99_us"], cpu_us_each=spent / found["calls"] * 1e6)
            yield work

    def messages(self, name, target, count, size, clients):
        """Messages, all of them delivered once and undamaged, and what they cost each of the target's processes."""
        before = {side: cpu_seconds(pid) for side, pid in target.pids.items()}
        found = self.tool("message_load", target.send_port, target.recv_port, target.key, max(1, count // clients), size, clients)
        spent = {side: cpu_seconds(pid) - before[side] for side, pid in target.pids.items()}
        received = found["received"]
        self.add(name, per_second=found["per_second"], mb_per_second=found["mb_per_second"], p50_us=found["p50_us"],
                 p99_us=found["p99_us"], delivered=received, refused=found["refused"], out_of_order=found["out_of_order"],
                 cpu_us_each=sum(spent.values()) / received * 1e6, cpu_seconds_per_gb=sum(spent.values()) / (received * size) * 1e9,
                 **{f"{side}_cpu_seconds": seconds for side, seconds in spent.items()},
                 **{f"{side}_rss_mb": memory_mb(pid)[0] for side, pid in target.pids.items()})

    # --- What came out ------------------------------------------------------------------------------------------------

    @staticmethod
    def compared(name, metric):
        """The rows that this one is a ratio of."""
        if name.startswith("library ") and f" {LARGE} B" in name and metric == "mb_per_second":
            return [CHAIN]
        kind = next((kind for kind in ("direct", "one hop", "mtu 1280") if name.startswith(kind + " ")), None)
        if kind is None or metric not in ("per_second", "mb_per_second", "p50_us", "p99_us"):
            return []
        work = name.removeprefix(kind + " ")
        large = work.startswith("send ") and int(work.split()[1]) >= LARGE
        others = [f"direct {work}"] if kind == "one hop" else []
        if large and metric == "mb_per_second":
            return [SMALL_CHAIN if kind == "mtu 1280" else CHAIN, *others]
        if not large and metric != "mb_per_second":
            return [f"null {work}", *others]
        return []

    def write(self, out):
        os.makedirs(out, exist_ok=True)
        what = {"machine": machine(), "commit": commit(), "rounds": self.options.rounds, "quick": self.options.quick}
        with open(os.path.join(out, "results.json"), "w", encoding="utf-8") as file:
            json.dump({**what, "rows": self.rows}, file, indent=1)
        head = (f"{what['machine']}; {what['commit']}; {self.options.rounds} rounds"
                f"{', a tenth of the work' if self.options.quick else ''}")
        report.write(os.path.join(out, "results.md"), head, self.rows, self.compared)
        self.draw(out)

    def draw(self, out):
        def points(start, end, word, metric):
            found = [(int(name.split()[word]), statistics.median(row[metric])) for name, row in self.rows.items()
                     if name.startswith(start) and name.endswith(end)]
            return sorted(found)

        kinds = ("null", "direct", "one hop", "mtu 1280")
        throughput = {kind: points(f"{kind} send ", ", 1 client", -4, "mb_per_second") for kind in kinds}
        plot.lines(os.path.join(out, "throughput.svg"), throughput, "Throughput over message size, one client", "bytes", "MB/s")
        latency = {f"{kind} {metric[:3]}": points(f"{kind} send 1024 B", "", -2, metric)
                   for kind in kinds for metric in ("p50_us", "p99_us")}
        plot.lines(os.path.join(out, "latency.svg"), latency, "Time of a 1 KiB /send over clients", "clients", "µs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axld", required=True)
    parser.add_argument("--tools", required=True, help="folder of null_node, message_load, mcp_load, stream_limits, micro")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="only work with this in its name: limit, library, parts, start, or as in `direct sends`, `null calls`, "
                                       "`rest`, `one hop round trips`, `growth`")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: to try the driver itself")
    parser.add_argument("--out", default="build/bench-results")
    parser.add_argument("--update", action="store_true", help="renew benchmarks/RESULTS.md")
    options = parser.parse_args()
    bench = Bench(options)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            bench.round(folder)
    bench.write(options.out)
    with open(os.path.join(options.out, "results.md"), encoding="utf-8") as file:
        text = file.read()
    print(text)
    if options.update:
        document.renew(RESULTS, {"nodes": text.replace("\n## ", "\n### ").strip()}, options.out, os.path.dirname(os.path.abspath(__file__)))


if __name__ == "__main__":
    main()
