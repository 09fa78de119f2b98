"""A gossip process that publishes a load: what run.py says to it, and what it answers."""

import asyncio
import json

LINE = 1 << 20  # bytes of a line at most: a result


class Member:
    def __init__(self, name, process):
        self.name = name
        self.key = self.uri = None
        self._process = process
        self._events = {event: asyncio.Queue() for event in ("ready", "mesh", "done", "result")}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, program, name, topic, rate, seconds, peers):
        command = [program, "--name", name, "--topic", topic, "--listen", "tls://127.0.0.1:0",
                   "--load", str(rate), "--seconds", str(seconds)]
        for uri in peers:
            command += ["--peer", uri]
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                                                       limit=LINE)
        member = cls(name, process)
        ready = await member._next("ready")
        member.key, member.uri = ready["key"], ready["uri"]
        return member

    async def mesh(self):
        return await self._ask("mesh")

    async def result(self):
        return await self._ask("result")

    async def go(self, keys):
        """Publishes, and waits for as much of each of these."""
        self._write("go " + " ".join(keys))

    async def done(self):
        await self._next("done")

    async def stop(self):
        """The exit status. Ends by itself when its input does."""
        self._process.stdin.close()
        try:
            return await asyncio.wait_for(self._process.wait(), 10)
        except asyncio.TimeoutError:
            self._process.kill()
            return await self._process.wait()
        finally:
            self._reading.cancel()

    async def _ask(self, what):
        self._write(what)
        return await self._next(what)

    def _write(self, line):
        self._process.stdin.write(line.encode() + b"\n")

    async def _next(self, event):
        said = await self._events[event].get()
        if said is None:
            self._events[event].put_nowait(None)  # for whoever waits too
            raise RuntimeError(f"{self.name} has ended")
        return said

    async def _read(self):
        async for line in self._process.stdout:
            said = json.loads(line)
            self._events[said["event"]].put_nowait(said)
        for queue in self._events.values():
            queue.put_nowait(None)
