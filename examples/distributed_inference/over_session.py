"""The tensor exchange over sessions between two nodes: tensors of any size, each one message."""

import asyncio
import contextlib
import json
import sys
import time

import axl
import framing
import numpy
import values
from tensor_session import MAX_MESSAGE, PLAIN_PORT, TENSOR_PORT, TensorSession

SEED = 42
MOST_KEPT = 1 << 26  # bytes of a test's tensors that are kept until its end


def say(**facts):
    print(json.dumps(facts), flush=True)


class Receiver:
    """One sender's session. The tensors of a test are kept until its last is there, then compared with what they have to be, so
    that this takes nothing from the rate. Beyond 64 MiB (always the first, whatever its size) they are let go at once, as
    programs do with what they have used; of those one element in 1024 is compared."""

    def __init__(self, session):
        self._link = TensorSession(session)
        self._begin_test()

    def _begin_test(self):
        self._kept, self._bytes, self._count, self._right = [], 0, 0, True

    async def serve(self):
        try:
            while True:  # and nothing is held meanwhile: the next tensor may come to lie where the last was
                await self._on_message(await self._link.receive())
        except framing.MessageError as error:
            print(f"{self._link.session.peer}: {error}", file=sys.stderr, flush=True)
            self._link.session.abort()
        except axl.Error:
            self._link.session.close()  # the sender has ended, or gone

    async def _on_message(self, message):
        if message.type in ("warmup", "tensor_test"):
            array = message.array
            say(received=message.type, dtype=array.dtype.name, shape=array.shape, bytes=array.nbytes)
        elif message.type == "bandwidth_test":
            array, seed = message.array, message.number("seed", SEED)
            if array.dtype != "<f4":
                raise framing.MessageError("a test is of float32")
            self._count += 1
            if not self._kept or self._bytes + array.nbytes <= MOST_KEPT:
                self._kept.append((array, seed))
                self._bytes += array.nbytes
            else:
                self._right = self._right and values.is_piece(framing.raw(array), seed, 0, values.SAMPLE)
            if self._count >= message.number("rounds", 1, least=1):
                await self._answer(message.fields.get("test_name"))

    async def _answer(self, name):
        await self._link.send({"type": "bandwidth_received", "test_name": name, "timestamp": time.time()})
        kept, right = self._kept, self._right
        self._begin_test()

        def all_right():
            return right and all(values.is_piece(framing.raw(array), seed, 0) for array, seed in kept)

        verified = await asyncio.get_running_loop().run_in_executor(None, all_right)
        await self._link.send({"type": "bandwidth_ack", "test_name": name, "verified": verified, "in_full": len(kept),
                               "timestamp": time.time()})


async def receive_plain(session):
    """How many messages come, then these. Nothing is kept."""
    session.max_message_size = MAX_MESSAGE
    with contextlib.suppress(axl.Error, ValueError):
        while True:
            for _ in range(int(bytes((await session.receive())[:20]))):
                await session.receive()
            await session.send_message(b"done")


async def serve_sessions(listener, serve):
    tasks = set()  # an event loop keeps no task alive
    async for session in listener:
        task = asyncio.create_task(serve(session))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def recv(uri, ended):
    """Serves whoever connects until ``ended`` is set. Prints the key and the URI first."""
    async with axl.Node(listen=[uri], log_level=axl.LogLevel.error) as node:
        serving = [asyncio.create_task(serve_sessions(node.listen(TENSOR_PORT), lambda session: Receiver(session).serve())),
                   asyncio.create_task(serve_sessions(node.listen(PLAIN_PORT), receive_plain))]
        print(node.key, node.listeners[0], flush=True)
        await ended.wait()
        for task in serving:
            task.cancel()


@contextlib.asynccontextmanager
async def session_to(key, uri, port):
    async with axl.Node(peers=[uri], log_level=axl.LogLevel.error) as node:
        await node.ping(key, 60)
        async with await node.connect(key, port) as session:
            session.max_message_size = MAX_MESSAGE
            yield node, session


async def tensor(key, uri):
    async with session_to(key, uri, TENSOR_PORT) as (node, session):
        array = numpy.arange(12, dtype="<f4").reshape(3, 4)
        await TensorSession(session).send({"type": "tensor_test", "from": node.key, "timestamp": time.time()}, array)
        say(sent="tensor_test", dtype=array.dtype.name, shape=array.shape)


async def bandwidth(key, uri, tests, plain=False):
    """``tests``: (shape, rounds). True when the peer has verified all of them."""
    verified = True
    async with session_to(key, uri, PLAIN_PORT if plain else TENSOR_PORT) as (_, session):
        link = TensorSession(session)
        for shape, rounds in tests:
            array = values.make(shape, SEED)
            if plain:
                seconds, right, in_full = await _run_plain(session, array, rounds), None, 0
            else:
                seconds, right, in_full = await _run(link, array, rounds)
                verified = verified and right
            say(test="x".join(map(str, shape)), bytes=array.nbytes, rounds=rounds, seconds=round(seconds, 6), verified=right,
                in_full=in_full)
    return verified


async def _run_plain(session, array, rounds):
    begin = time.perf_counter()
    await session.send_message(str(rounds))
    for _ in range(rounds):
        await session.send_message(array)
    await session.receive()
    return time.perf_counter() - begin


async def _run(link, array, rounds):
    """Seconds from the first tensor until the peer has the last, whether it got what was sent, and how many were compared in full."""
    name = "x".join(map(str, array.shape))
    await link.send({"type": "warmup", "timestamp": time.time()}, values.make((5, 5), 1))
    begin = time.perf_counter()
    for index in range(rounds):
        await link.send({"type": "bandwidth_test", "test_name": name, "seed": SEED, "timestamp": time.time(),
                         "round": index, "rounds": rounds}, array)
    received = await link.receive()
    seconds = time.perf_counter() - begin
    ack = await link.receive()
    return seconds, (received.type == "bandwidth_received" and ack.type == "bandwidth_ack"
                     and ack.fields.get("verified") is True), ack.number("in_full", 0)
