#!/usr/bin/env python3
"""Measures large networks in virtual time and a real node with many neighbours; renews the figures in SCALE.md.

    run.py --tools FOLDER --axld FILE --out FOLDER [--quick] [--update] [--only PART...]

Parts: engine, hub, networks. What --only leaves out is taken from the last run. Writes scale.json and plots to the folder. --update puts the tables into benchmarks/SCALE.md and the plots beside it.
--quick runs the small networks for a few seconds, to see that everything works.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "node"), os.path.join(HERE, "..", "..", "tests", "support")]

import about  # pylint: disable=wrong-import-position
import plot  # pylint: disable=wrong-import-position
from document import renew  # pylint: disable=wrong-import-position
from hub import Hub, settled_memory  # pylint: disable=wrong-import-position

DOCUMENT = os.path.join(HERE, "..", "SCALE.md")
SCENARIOS = ["join", "idle", "churn", "traffic"]
SIZES = [100, 300, 1000, 3000, 10000]
# Virtual seconds. Idle: one renewal of every announcement. Churn: at least 30 restarts. Traffic: paths are learnt anew
# after a minute in which nothing came back, so a whole one.
SECONDS = {"join": dict.fromkeys(SIZES, 60), "idle": dict.fromkeys(SIZES, 240),
           "churn": {100: 1800, 300: 600, 1000: 240, 3000: 120, 10000: 60}, "traffic": dict.fromkeys(SIZES, 60)}
ROUNDS = 5
FLOWS = 5
WINDOW = 64


def simulate(tools, nodes, scenario, seconds):
    done = subprocess.run([os.path.join(tools, "scale"), str(nodes), scenario, str(seconds)], check=True,
                          stdout=subprocess.PIPE, text=True)
    result = json.loads(done.stdout)
    if result["fault"]:
        raise SystemExit(f"{nodes} nodes, {scenario}: {result['fault']}")
    print(f"{nodes} nodes, {scenario}: done", flush=True)
    return result


def simulations(tools, quick):
    """All networks, the largest first, as many at once as there are processors."""
    jobs = [(nodes, scenario, 10 if quick else SECONDS[scenario][nodes])
            for nodes in reversed(SIZES[:2] if quick else SIZES) for scenario in reversed(SCENARIOS)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return sorted(pool.map(lambda job: simulate(tools, *job), jobs),
                      key=lambda row: (SCENARIOS.index(row["scenario"]), row["nodes"]))


def real_hubs(axld, tools, quick):
    """Nodes with ten and with a thousand neighbours, loaded in turns."""
    many_neighbours = 50 if quick else 1000
    with tempfile.TemporaryDirectory() as folder:
        few, many = Hub(axld, tools, folder, 10), Hub(axld, tools, folder, many_neighbours)
        loads = []
        idle = {hub.count: hub.idle(2 if quick else 20) for hub in (few, many)}
        for _ in range(1 if quick else ROUNDS):
            for hub in few, many:
                loads.append(hub.load(FLOWS, WINDOW, 2))
            loads.append(many.load(many.count // 2, WINDOW, 2))
        many.memory["right after load"] = settled_memory(many.pid)
        if not quick:
            time.sleep(20)  # the daemon gives back what has been free for ten seconds
            many.memory["a little later"] = settled_memory(many.pid)
        result = {"memory": many.memory, "per_neighbour": many.per_neighbour(), "joined_s": many.joined, "idle": idle, "loads": loads}
        few.stop()
        many.stop()
    return result


def engine_alone(tools, quick):
    """Nanoseconds for a packet through the routing engine, by neighbours and flows."""
    done = subprocess.run([os.path.join(tools, "micro"), "--benchmark_filter=^forward/", "--benchmark_format=json",
                           "--benchmark_min_time=" + ("0.02" if quick else "0.2"), "--benchmark_repetitions=" + ("1" if quick else "5"),
                           "--benchmark_enable_random_interleaving=true"],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    times = {}
    for row in json.loads(done.stdout)["benchmarks"]:
        found = re.match(r"forward/neighbours:(\d+)/flows:(\d+)", row["name"])
        if row["run_type"] == "iteration":
            times.setdefault((int(found[1]), int(found[2])), []).append(row["cpu_time"])
    return [{"neighbours": key[0], "flows": key[1], "ns": statistics.median(values), "least": min(values), "most": max(values)}
            for key, values in sorted(times.items())]


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(row) + " |" for row in rows)])


def number(value):
    if value == 0:
        return "0"
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def network_tables(rows):
    """One table for each scenario."""
    texts = {}
    for scenario in SCENARIOS:
        head = ["nodes", "s", "state KiB", "CPU µs/s", "wire B/s", "signatures/s", "busiest node, frames/s", "known nodes, mean / most", "fullest filter"]
        if scenario == "join":
            head.insert(2, "one tree after s")
        if scenario == "traffic":
            head += ["links on the way", "lookups/s", "frames for one lookup", "arrived"]
        lines = []
        for row in rows:
            if row["scenario"] != scenario:
                continue
            line = [number(row["nodes"]), number(row["seconds"]), number(row["heap_kb"]), number(row["cpu_us"]), number(row["wire_bytes"]),
                    number(row["signatures"]) + ("" if row["signatures_checked"] else " *"), number(row["busiest_frames"]),
                    f"{number(row['infos'])} / {number(row['most_infos'])}", f"{row['fullest_filter']:.0%}"]
            if scenario == "join":
                line.insert(2, number(row["whole_after_s"]))
            if scenario == "traffic":
                seconds = row["nodes"] * row["seconds"]
                line += [number(row["traffic"] * seconds / max(1, row["sent"])), number(row["own_lookups"]),
                         number(row["path_lookup"] / max(1e-9, row["own_lookups"])), f"{row['arrived'] / max(1, row['sent']):.2%}"]
            lines.append(line)
        texts[scenario] = table(head, lines)
    frames = ["sig_req", "announce", "bloom_filter", "path_lookup", "path_notify", "path_broken", "traffic"]
    texts["frames"] = table(["nodes", "scenario", *frames],
                            [[number(row["nodes"]), row["scenario"], *(number(row[name]) for name in frames)] for row in rows])
    return texts


def median_of(rows, name):
    values = [row[name] for row in rows]
    return f"{number(statistics.median(values))} ({number(min(values))} to {number(max(values))})"


def hub_tables(hubs, engine):
    """The engine alone, the real node's memory, and its rate."""
    ten = {row["flows"]: row["ns"] for row in engine if row["neighbours"] == 10}
    texts = {"engine": table(["neighbours", "flows", "ns a packet, median (least to most)", "million packets/s", "of the rate with ten"],
                             [[number(row["neighbours"]), number(row["flows"]), f"{row['ns']:.0f} ({row['least']:.0f} to {row['most']:.0f})",
                               f"{1e3 / row['ns']:.2f}", f"{ten[row['flows']] / row['ns']:.0%}"] for row in engine])}
    texts["memory"] = table(["state", "RSS KiB", "a neighbour, KiB"],
                            [[name, number(sizes["rss"]), number(hubs["per_neighbour"][name]) if name in hubs["per_neighbour"] else ""]
                             for name, sizes in hubs["memory"].items()])
    kinds = {}
    for row in hubs["loads"]:
        kinds.setdefault((row["neighbours"], row["flows"], row["window"]), []).append(row)
    base = statistics.median(row["cpu_us"] for row in kinds[(10, FLOWS, WINDOW)])
    texts["rate"] = table(["neighbours", "flows", "under way in each", "packets/s", "CPU µs of the node for a packet", "of the rate with ten, by CPU", "lost"],
                          [[number(key[0]), number(key[1]), number(key[2]), median_of(rows, "rate"), median_of(rows, "cpu_us"),
                            f"{base / statistics.median(row['cpu_us'] for row in rows):.0%}", number(sum(row["lost"] for row in rows))]
                           for key, rows in kinds.items()])
    texts["idle hub"] = table(["neighbours", "idle CPU"], [[number(count), f"{share:.3%}"] for count, share in hubs["idle"].items()])
    return texts


def draw(rows, folder):
    def series(field):
        return {scenario: [(row["nodes"], row[field]) for row in rows if row["scenario"] == scenario] for scenario in SCENARIOS}
    plot.lines(os.path.join(folder, "scale-state.svg"), series("heap_kb"), "State of one node", "nodes in the network", "KiB")
    plot.lines(os.path.join(folder, "scale-cpu.svg"), series("cpu_us"), "Processor time of one node", "nodes in the network", "µs in a second")
    plot.lines(os.path.join(folder, "scale-wire.svg"), series("wire_bytes"), "Sent by one node", "nodes in the network", "bytes in a second")
    traffic = [row for row in rows if row["scenario"] == "traffic"]
    plot.lines(os.path.join(folder, "scale-filters.svg"),
               {"fullest filter, %": [(row["nodes"], 100 * row["fullest_filter"]) for row in traffic],
                "frames for a lookup": [(row["nodes"], row["path_lookup"] / max(1e-9, row["own_lookups"])) for row in traffic]},
               "Filters and lookups", "nodes in the network", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--axld", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--update", action="store_true")
    parts = {"engine": lambda: engine_alone(given.tools, given.quick), "hub": lambda: real_hubs(given.axld, given.tools, given.quick),
             "networks": lambda: simulations(given.tools, given.quick)}
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    given = parser.parse_args()
    os.makedirs(given.out, exist_ok=True)
    machine = f"{about.machine()}, commit {about.commit()}, {datetime.date.today()}"
    results_file = os.path.join(given.out, "scale.json")
    results = {}
    if set(given.only) != set(parts):
        with open(results_file, encoding="utf-8") as file:
            results = json.load(file)
    results["machine"] = machine
    for name in given.only:
        results[name] = parts[name]()
    with open(results_file, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    texts = {"machine": "Measured on: " + machine + ".", **network_tables(results["networks"]), **hub_tables(results["hub"], results["engine"])}
    draw(results["networks"], given.out)
    for text in texts.values():
        print("\n" + text)
    if given.update:
        renew(DOCUMENT, texts, given.out, HERE)


if __name__ == "__main__":
    main()
