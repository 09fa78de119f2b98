#!/usr/bin/env python3
"""Statistics of a swarm of robots, each a process: while all are well, while some hang, when they are killed, and when they are back.

    run.py [--short] [--picture FILE]

Every outcome is compared with what the values of those who are in it come to. Ends with one line that begins with PASS or FAIL.
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time

import picture
from members import Swarm, program
from robot import ZONES, expected, found

LIMIT = 170   # seconds; a run takes a fraction of it
SETTLE = 5    # seconds for which an outcome tells of a change in the tree, beside the question's time
WATCH = 0.3   # seconds between two questions of member 0
QUESTIONS = [("count", "robots"), ("mean", "load"), ("sum", "energy"), ("min", "battery"), ("max", "temperature"), ("top:3", "drained")]
NAMING = [("sum", "energy"), ("top:64", "battery")]  # their outcomes say of whom they are


def show(text=""):
    print(text, flush=True)


def marks(outcome):
    if outcome is None:
        return "no answer"
    said = [f"{outcome['missing']} missing"] if outcome["missing"] else []
    said += ["settling"] if outcome["settling"] else []
    return f"{outcome['contributed']} contributed, {', '.join(said) or 'complete'}"


class Run:
    def __init__(self, swarm, seconds, in_a_row):
        self.swarm, self.seconds = swarm, seconds  # `seconds`: for each question
        self.in_a_row = in_a_row  # complete outcomes to wait for
        self.begin = time.monotonic()
        self.wrong = []
        self.outcomes = self.equal = 0
        self.watched = []   # (when, outcome or none) of member 0's questions
        self.moments = []   # trees for the picture
        self.events = []    # (when, what)

    def now(self):
        return time.monotonic() - self.begin

    def event(self, text):
        self.events.append((self.now(), text))
        show(f"{self.now():6.1f} s  {text}")

    def fail(self, text):
        self.wrong.append(text)
        show(f"  WRONG: {text}")

    def who(self, kind, outcome):
        """Of whom an outcome says that it is."""
        groups = found(kind, outcome)
        if kind == "sum":
            mask = groups.get("who", (0, 0))[1]
            return {number for number in range(len(self.swarm.members)) if mask >> number & 1}
        return {self.swarm.number_of(key) for _, key in groups.get("", (0, []))[1]}

    def check(self, kind, name, outcome, numbers):
        """The outcome has to be what the values of these members come to."""
        self.outcomes += 1
        robots = [self.swarm.members[number].robot for number in sorted(numbers)]
        wanted, got = expected(kind, name, robots, self.swarm.key_of), found(kind, outcome)
        if got == wanted and outcome["contributed"] == len(numbers):
            self.equal += 1
        else:
            self.fail(f"{kind} of {name}: {got} of {outcome['contributed']} instead of {wanted} of {len(numbers)}")

    async def watch(self):
        """Member 0 counts all the time."""
        while True:
            name = f"robots@{self.swarm.tick()}"
            asked = self.now()
            outcome = await self.swarm.members[0].ask("count", name, self.seconds)
            self.watched.append((asked, outcome))
            self.swarm.news()
            await asyncio.sleep(WATCH)

    async def complete(self, size):
        """Until outcomes that were asked for from now on are complete and of so many, several times in a row."""
        begin = self.now()

        def last():
            return [outcome and outcome["complete"] and outcome["contributed"] == size
                    for asked, outcome in self.watched if asked >= begin][-self.in_a_row:]

        await self.swarm.until(lambda: last() and last()[-1])
        self.event(f"complete outcomes of {size}, {self.now() - begin:.1f} s later")
        await self.swarm.until(lambda: len(last()) == self.in_a_row and all(last()))

    async def ask_until(self, member, kind, name, right):
        """Asks again until an outcome is complete, and as it should be beside that; on a busy machine some come too late."""
        while True:
            outcome = await member.ask(kind, name, self.seconds)
            if outcome and outcome["complete"] and right(outcome):
                return outcome
            await asyncio.sleep(WATCH)

    async def statistics(self, askers):
        """Every question, each from another member; all of those who are there have to be in every outcome."""
        alive = self.swarm.alive()
        tick = self.swarm.tick()
        asked = [(kind, f"{quantity}@{tick}", member) for (kind, quantity), member in zip(QUESTIONS, itertools.cycle(askers))]
        outcomes = await asyncio.gather(*(self.ask_until(member, kind, name, lambda outcome: outcome["contributed"] == len(alive))
                                          for kind, name, member in asked))
        result = {}
        for (kind, name, member), outcome in zip(asked, outcomes):
            self.check(kind, name, outcome, [one.number for one in alive])
            result[kind] = groups = found(kind, outcome)
            count, value = groups[""]
            if kind.startswith("top"):
                value = ", ".join(f"{number:.2f} of robot {self.swarm.number_of(key)}" for number, key in value)
            zones = ", ".join(f"{zone} {groups[zone][1]:.4g}" for zone in ZONES if zone in groups)
            show(f"    {kind} of {name}, asked by {member.name}: {value}{f' ({zones})' if zones else ''}")
        return result

    async def told(self, member):
        """An outcome that goes to all of them: everyone is told the same as the one who asked."""
        alive = self.swarm.alive()
        while True:
            name = f"robots@{self.swarm.tick()}"
            outcome = await member.ask("count", name, self.seconds, tell=True)
            if not outcome or not outcome["complete"] or outcome["contributed"] != len(alive):
                await asyncio.sleep(WATCH)
                continue
            self.check("count", name, outcome, [one.number for one in alive])
            try:
                await asyncio.wait_for(self.swarm.until(lambda: all(name in one.told for one in alive)), 3)
            except asyncio.TimeoutError:  # it is told once, and those who are slow may have forgotten the question
                continue
            if all(one.told[name] == outcome for one in alive):
                show(f"    {len(alive)} members were told what {member.name} was: {marks(outcome)}")
            else:
                self.fail("members were told different outcomes")
            return

    async def in_trouble(self, text, since):
        """Asks at once, from all who can ask. Outcomes have to be right for those whom they name, and marked."""
        alive = self.swarm.alive()
        numbers = {member.number for member in alive}
        asked = [(member, kind, f"{quantity}@{self.swarm.tick()}") for member in alive for kind, quantity in NAMING]
        outcomes = await asyncio.gather(*(member.ask(kind, name, self.seconds) for member, kind, name in asked))
        later = self.now() - since
        heard = marked = 0
        for (member, kind, name), outcome in zip(asked, outcomes):
            if outcome is None:
                continue  # below one who hangs, or without a root for the moment
            heard += 1
            marked += not outcome["complete"]
            who = self.who(kind, outcome)
            self.check(kind, name, outcome, who)
            if not who <= numbers:
                self.fail(f"{sorted(who - numbers)} cannot have said anything")
            if outcome["complete"] and later < SETTLE:
                self.fail(f"an outcome of {len(who)} calls itself complete, {later:.1f} s after the trouble began")
        show(f"    {len(asked)} questions: {heard} outcomes, {marked} of them marked as not complete, {len(asked) - heard} without an answer")
        named = [(outcome, self.who(kind, outcome)) for (_, kind, _), outcome in zip(asked, outcomes) if outcome and kind == "sum"]
        outcome, who = max(named, key=lambda one: len(one[1])) if named else (None, set())
        await self.draw(text, outcome, who)
        return heard

    async def draw(self, text, outcome, who):
        """Keeps the tree as it is now, and who is in the outcome."""
        await self.swarm.look_at_tree()
        missing = {self.swarm.number_of(key) for key in outcome["missing_keys"]} if outcome else set()
        state = {}
        for member in self.swarm.members:
            state[member.number] = ("gone" if not member.running else "in" if member.number in who
                                    else "missing" if member.number in missing else "unheard")
        self.moments.append((text, marks(outcome), {member.number: member.parent for member in self.swarm.members}, state))

    async def draw_all(self, text):
        name = f"energy@{self.swarm.tick()}"
        outcome = await self.ask_until(self.swarm.members[0], "sum", name, lambda outcome: outcome["contributed"] == len(self.swarm.members))
        self.check("sum", name, outcome, self.who("sum", outcome))
        await self.draw(text, outcome, self.who("sum", outcome))

    async def lose(self, members, called):
        since = self.now()
        await asyncio.gather(*(member.kill() for member in members))
        self.event(f"{called} killed")
        return since

    async def bring_back(self, members):
        for member in members:
            await member.start()
        self.event(f"{', '.join(member.name for member in members)} started again")
        await self.complete(len(self.swarm.members))

    async def story(self, short):
        swarm = self.swarm
        size = len(swarm.members)
        self.event(f"{size} robots started, {len(swarm.edges)} links")
        await self.complete(size)
        await self.draw_all("all are well")
        result = await self.statistics(swarm.members[1:])
        await self.told(swarm.members[-1])

        victims = swarm.victims(3)
        called = ", ".join(member.name for member in victims)
        before = swarm.tick()
        since = self.now()
        for member in victims:
            member.hang()
        self.event(f"{called} hang")
        await self.in_trouble(f"{len(victims)} hang", since)
        since = await self.lose(victims, called)
        if not await self.in_trouble(f"{len(victims)} are killed", since):
            self.fail("nobody got an outcome")
        if not short:
            await self.complete(size - len(victims))
            await self.statistics(swarm.alive())

        await self.bring_back(victims)
        await self.draw_all("they are back")
        await self.statistics(victims)
        name = f"energy@{before}"  # they have no readings of before they were killed
        outcome = await self.ask_until(victims[0], "sum", name, lambda outcome: outcome["abstained"] == len(victims))
        self.check("sum", name, outcome, {member.number for member in swarm.members} - {member.number for member in victims})
        show(f"    {name}: {marks(outcome)}, {outcome['abstained']} had nothing to say")

        if not short and (root := swarm.root()) and root.number:
            since = await self.lose([root], f"the root, {root.name},")
            await self.in_trouble("the root is killed", since)
            await self.complete(size - 1)
            await self.bring_back([root])
            await self.statistics([root, *swarm.members])
        return result


async def judge(one, arguments):
    """Lets the story happen; what went wrong is in `one`."""
    tasks = [asyncio.create_task(one.story(arguments.short)), asyncio.create_task(one.watch())]
    done, _ = await asyncio.wait(tasks, timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    for task, result in zip(tasks, ended):
        if task in done and isinstance(result, Exception):
            one.fail(f"{type(result).__name__}: {result}")
    if not done:
        one.fail(f"not done within {LIMIT} s")
    if one.wrong:
        return
    picture.write(arguments.picture, one.moments, one.watched, one.events, len(one.swarm.members), ended[0])
    show(f"picture: {arguments.picture}")
    statuses = [await member.end() for member in one.swarm.members]
    if any(statuses):
        one.fail(f"members ended with {statuses}")


async def run(arguments):
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with Swarm(program(arguments.swarm), 9 if arguments.short else arguments.members, arguments.seed, folder) as swarm:
            one = Run(swarm, *((0.3, 1) if arguments.short else (1, 5)))
            await judge(one, arguments)
    show(f"{'FAIL' if one.wrong else 'PASS'}: {one.equal} of {one.outcomes} outcomes equal what the values of those in them come to, "
         f"{time.monotonic() - begin:.0f} s")
    return 1 if one.wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="nine robots, less time for questions: about 15 s")
    parser.add_argument("--picture", default="convergecast.svg", metavar="FILE", help="where the picture goes")
    parser.add_argument("--members", type=int, default=12, choices=range(9, 63), metavar="9..62", help="how many, if not --short")
    parser.add_argument("--seed", type=int, default=1, choices=range(1 << 16), metavar="N", help="another swarm")
    parser.add_argument("--swarm", metavar="PROGRAM", help="the member, if it is not in AXL_BUILD_DIR")
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
