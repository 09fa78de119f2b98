#!/usr/bin/env python3
"""Ten nodes, each a process, linked at random: all of them publish and subscribe, and each must get every message once.

    run.py [--short] [--seed N] [--rate N] [--seconds N] [--picture FILE] [--gossip PROGRAM]

Ends with one line that begins with PASS or FAIL.
"""

import argparse
import asyncio
import math
import os
import random
import sys
import time

import picture
from member import Member

NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"]
TOPIC = "room"
MORE_LINKS = 5   # beside those of the random tree that holds all together
STANDS = 1       # seconds without a change: nobody looks for neighbours any more
BAR = 50         # ms, 99 of 100 deliveries
LIMIT = 150      # seconds for all of it
QUIET = 0.5      # seconds without a copy: none is under way any more


def show(text=""):
    print(text, flush=True)


def random_links(seed):
    """For each node those before it that it dials. All are connected."""
    chance = random.Random(seed)
    links = [[chance.randrange(index)] if index else [] for index in range(len(NAMES))]
    others = [(first, second) for second in range(len(NAMES)) for first in range(second) if first not in links[second]]
    for first, second in chance.sample(others, MORE_LINKS):
        links[second].append(first)
    return links


def connected(edges):
    seen, todo = {0}, [0]
    while todo:
        one = todo.pop()
        for edge in edges:
            if one in edge:
                new = edge - {one} - seen
                seen |= new
                todo += new
    return len(seen) == len(NAMES)


def edges_of(members, views):
    """Pairs of nodes that have each other in the mesh."""
    place = {member.key: index for index, member in enumerate(members)}
    one_way = {(index, place[key]) for index, view in enumerate(views) for key in view["mesh"] if key in place}
    return {frozenset(pair) for pair in one_way if pair[::-1] in one_way}


async def views_of(members):
    return await asyncio.gather(*(member.mesh() for member in members))


async def wait_for_mesh(members):
    """Until it holds all together, and does not change any more."""
    edges, since = None, 0
    while True:
        before, edges = edges, edges_of(members, await views_of(members))
        if edges != before or not connected(edges):
            since = time.perf_counter()
        elif time.perf_counter() - since > STANDS:
            return
        await asyncio.sleep(0.1)  # between two looks


class Table:
    """The mesh on a terminal, drawn over itself once a second."""

    def __init__(self, members):
        self._members = members
        self._names = {member.key: member.name for member in members}
        self._before = None
        self._at = None
        self._lines = 0

    def draw(self, views):
        now = time.perf_counter()
        lines = [f"{'':8}{'key':10}{'in/s':>8}{'out/s':>7}{'copies':>8}   mesh"]
        for index, (member, view) in enumerate(zip(self._members, views)):
            before = self._before[index] if self._before else view
            seconds = now - self._at if self._at else 1
            rate = {name: (view[name] - before[name]) / seconds for name in ("delivered", "published")}
            copies = f"{view['received'] / view['delivered']:.2f}" if view["delivered"] else "-"
            mesh = " ".join(sorted(self._names.get(key, key[:8]) for key in view["mesh"]))
            lines.append(f"{member.name:8}{member.key[:8]:10}{rate['delivered']:8.0f}{rate['published']:7.0f}{copies:>8}   {mesh}")
        up = f"\x1b[{self._lines}F" if self._lines else ""
        sys.stdout.write(up + "".join(f"{line}\x1b[K\n" for line in lines))
        sys.stdout.flush()
        self._before, self._at, self._lines = views, now, len(lines)

    async def follow(self):
        while True:
            self.draw(await views_of(self._members))
            await asyncio.sleep(1)


async def exchange(members):
    """Until all have all."""
    for member in members:
        await member.go([other.key for other in members if other is not member])
    await asyncio.gather(*(member.done() for member in members))


async def settled(members):
    """The views when no copies come any more."""
    views = None
    while True:
        before, views = views, await views_of(members)
        if before and all(old["received"] == new["received"] for old, new in zip(before, views)):
            return views
        await asyncio.sleep(QUIET)  # between two looks


def percentile(latencies, share):
    """In ms, of counts by bucket; a bucket's upper end."""
    wanted = share * sum(latencies.values())
    for bucket in sorted(latencies):
        wanted -= latencies[bucket]
        if wanted <= 0:
            return 1.02 ** (bucket + 1) / 1000
    return math.nan


def judge(members, results, total):
    """The deliveries that are wrong, by kind, and all latencies."""
    faults = {"missing": 0, "twice": 0, "wrong": 0}
    latencies = {}
    for member, result in zip(members, results):
        others = {other.key for other in members if other is not member}
        for key, origin in result["origins"].items():
            faults["missing"] += origin["missing"]
            faults["twice"] += origin["twice"]
            faults["wrong"] += (origin["received"] + origin["missing"] != total) + (key not in others)
        faults["wrong"] += result["wrong"] + (result["published"] != total) + len(others - result["origins"].keys())
        for bucket, count in result["latencies"].items():
            latencies[int(bucket)] = latencies.get(int(bucket), 0) + count
    return faults, latencies


async def run(arguments):
    links = random_links(arguments.seed)
    show(f"{len(NAMES)} nodes with {sum(map(len, links))} links (seed {arguments.seed}), all in topic '{TOPIC}'")
    members = []
    try:
        rate = arguments.rate / len(NAMES)
        for name, dials in zip(NAMES, links):
            peers = [members[index].uri for index in dials]
            members.append(await Member.start(arguments.gossip, name, TOPIC, rate, arguments.seconds, peers))
        begin = time.perf_counter()
        await wait_for_mesh(members)
        show(f"the mesh stands after {time.perf_counter() - begin:.1f} s; to look on:  "
             f"{arguments.gossip} --topic {TOPIC} --peer {members[0].uri}")
        show(f"{arguments.rate:g} messages of 1 KiB a second for {arguments.seconds:g} s, a tenth of them from each:")
        table = asyncio.create_task(Table(members).follow()) if sys.stdout.isatty() else None
        begin = time.perf_counter()
        await exchange(members)
        seconds = time.perf_counter() - begin
        views = await settled(members)
        if table:
            table.cancel()
        results = await asyncio.gather(*(member.result() for member in members))
    finally:
        status = await asyncio.gather(*(member.stop() for member in members))
    total = round(rate * arguments.seconds)
    faults, latencies = judge(members, results, total)
    deliveries = sum(latencies.values())
    middle, slow = percentile(latencies, 0.5), percentile(latencies, 0.99)
    for member, view in zip(members, views):
        show(f"  {member.name:6} {member.key[:8]}  delivered {view['delivered']:6}, copies of each {view['received'] / view['delivered']:.3f}, "
             f"mesh of {len(view['mesh'])}")
    copies = sum(view["received"] for view in views) / sum(view["delivered"] for view in views)
    show(f"all had all after {seconds:.1f} s: {deliveries} deliveries, {deliveries / seconds:.0f} a second; {copies:.3f} copies per node")
    bar = f"bar: {BAR} ms, {'met' if slow < BAR else 'MISSED'}" if not arguments.short else "a short run says little"
    show(f"from publish to handler: half within {middle:.2f} ms, 99 % within {slow:.2f} ms ({bar})")
    picture.write(arguments.picture, NAMES, links, edges_of(members, views), latencies, (middle, slow), BAR,
                  f"{total * len(NAMES)} messages of 1 KiB, {deliveries} deliveries, {copies:.2f} copies per node")
    show(f"picture: {arguments.picture}")
    worked = not any(faults.values()) and deliveries == total * len(NAMES) * (len(NAMES) - 1) and not any(status)
    return worked, f"{deliveries} of {total * len(NAMES) * (len(NAMES) - 1)} deliveries, " + ", ".join(
        f"{count} {kind}" for kind, count in faults.items())


async def bounded(arguments):
    try:
        return await asyncio.wait_for(run(arguments), LIMIT)
    except asyncio.TimeoutError:
        return False, f"not done after {LIMIT} s"
    except RuntimeError as error:
        return False, str(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="some seconds")
    parser.add_argument("--seed", type=int, default=1, help="another random graph of links")
    parser.add_argument("--rate", type=float, default=500, help="messages a second, of all nodes together")
    parser.add_argument("--seconds", type=float, help="how long they publish")
    parser.add_argument("--picture", default="gossipsub.svg", metavar="FILE", help="where the plot goes")
    parser.add_argument("--gossip", metavar="PROGRAM", help="the node, if it is not in AXL_BUILD_DIR",
                        default=os.path.join(os.environ.get("AXL_BUILD_DIR", ""), "examples", "gossipsub", "gossip"))
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or (2 if arguments.short else 30)
    if not os.access(arguments.gossip, os.X_OK):
        parser.error(f"{arguments.gossip} is not built")

    begin = time.perf_counter()
    worked, text = asyncio.run(bounded(arguments))
    show(f"{'PASS: everybody got everything once' if worked else 'FAIL'}: {text}, {time.perf_counter() - begin:.0f} s")
    return 0 if worked else 1


if __name__ == "__main__":
    sys.exit(main())
