"""The processes of a swarm: one for each member, linked in a random graph in which everybody reaches everybody."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import random
import signal
import sys
import time

from robot import Robot

PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # what stands before the 32 bytes of an Ed25519 key's seed
TICK = 0.1  # seconds from one reading to the next


class Gone(Exception):
    """The process has ended before it has answered."""


class Member:
    def __init__(self, swarm, number):
        self.swarm, self.number = swarm, number
        self.name = f"robot {number}"
        self.robot = Robot(swarm.seed, number)
        self.key = self.uri = None
        self.parent = None  # number of the member above it, as last asked
        self.running = self.hanging = False
        self.told = {}      # name of a question -> the outcome that the member was told of
        self._key_file = os.path.join(swarm.folder, f"{number}.pem")
        seed = random.Random(f"{swarm.seed} {number}").randbytes(32)  # a demonstration's key, the same in each run
        with open(os.open(self._key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(PKCS8 + seed).decode()}\n-----END PRIVATE KEY-----\n")

    async def start(self):
        """Dials those of its neighbours that run; the others will dial it."""
        peers = [other.uri for other in self.swarm.neighbours(self) if other.running]
        command = [self.swarm.program, "--key", self._key_file, "--number", str(self.number), "--seed", str(self.swarm.seed),
                   "--began", str(self.swarm.began), "--listen", "tls://127.0.0.1:0"]
        for uri in peers:
            command += ["--peer", uri]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                                                             limit=1 << 20)
        line = await self._process.stdout.readline()
        if not line:
            raise Gone(f"{self.name} did not start")
        first = json.loads(line)
        self.key, self.uri = first["key"], first["uris"][0]
        self.running, self.hanging = True, False
        self._waiting = {}
        self._reader = asyncio.create_task(self._read())

    async def _read(self):
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "told" in said:
                self.told[said["told"]] = said["outcome"]
            elif waiting := self._waiting.pop(said.get("id", "parent"), None):
                waiting.set_result(said)
            self.swarm.news()
        self.running = False
        for waiting in self._waiting.values():
            waiting.set_exception(Gone(self.name))

    async def _command(self, text, answer):
        if not self.running:
            raise Gone(self.name)
        waiting = self._waiting[answer] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(f"{text}\n".encode())
        return await waiting

    async def ask(self, kind, name, seconds, tell=False):
        """The outcome; none when nothing came from above."""
        identity = str(next(self.swarm.ids))
        said = await self._command(f"ask {identity} {kind} {name} {round(seconds * 1000)}{' tell' if tell else ''}", identity)
        return said.get("outcome")

    async def look_up(self):
        """Its place in the tree."""
        key = (await self._command("parent", "parent"))["parent"]
        self.parent = self.swarm.number_of(key)

    def hang(self):
        self.hanging = True
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)  # until all its threads have stopped

    async def kill(self):
        self.running = self.hanging = False
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def end(self):
        """As a member ends by itself; its exit status."""
        self._process.stdin.close()
        status = await self._process.wait()
        await self._reader
        return status


class Swarm:
    def __init__(self, program, size, seed, folder):
        self.program, self.seed, self.folder = program, seed, folder
        self.began = round(time.time() * 1000)
        self.ids = itertools.count()
        self._news = asyncio.Event()
        self.members = [Member(self, number) for number in range(size)]
        draw = random.Random(seed)
        self.edges = {(draw.randrange(number), number) for number in range(1, size)}
        while len(self.edges) < size + size // 2:
            self.edges.add(tuple(sorted(draw.sample(range(size), 2))))

    async def __aenter__(self):
        for member in self.members:
            await member.start()
        return self

    async def __aexit__(self, *_):
        for member in self.members:
            if member.running:
                await member.kill()

    def neighbours(self, member):
        return [self.members[sum(edge) - member.number] for edge in sorted(self.edges) if member.number in edge]

    def number_of(self, key):
        return next((member.number for member in self.members if member.key == key), None)

    def key_of(self, number):
        return self.members[number].key

    def root(self):
        return next((member for member in self.members if member.parent == member.number), None)

    def victims(self, count):
        """Members without whom the others still reach each other; not only leaves, neither member 0 nor the root."""
        parents = {member.parent for member in self.members}
        others = [member.number for member in self.members if member.number and member.parent != member.number]
        choices = list(itertools.combinations(others, count))
        random.Random(self.seed).shuffle(choices)
        choices.sort(key=lambda choice: not parents & set(choice))
        return next([self.members[number] for number in choice] for choice in choices if self.connected(set(choice)))

    def connected(self, without):
        reached, fresh = {0}, [0]
        while fresh:
            for other in self.neighbours(self.members[fresh.pop()]):
                if other.number not in reached | without:
                    reached.add(other.number)
                    fresh.append(other.number)
        return len(reached) + len(without) == len(self.members)

    def alive(self):
        return [member for member in self.members if member.running and not member.hanging]

    def tick(self):
        """A reading that every member has that is there."""
        return int((time.time() * 1000 - self.began) / 1000 / TICK) - 1

    def news(self):
        self._news.set()

    async def until(self, condition):
        """Until it holds; looked at whenever a member has said something."""
        while not condition():
            self._news.clear()
            await self._news.wait()

    async def look_at_tree(self):
        await asyncio.gather(*(member.look_up() for member in self.alive()))


def program(given):
    """The built member: as given, or of the build of AXL_BUILD_DIR."""
    path = given or os.path.join(os.environ.get("AXL_BUILD_DIR", ""), "examples", "convergecast", "swarm")
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is not there: build it, and name it with --swarm, or its build with AXL_BUILD_DIR")
    return path
