#!/usr/bin/env python3
"""One process of the split model: its layers, and an axl node of its own.

    python3 stage.py < CONFIG

The first line of standard input says what it is, as JSON: "identity" (PEM), "listen" and "peers" (URIs), "previous" and
"next" (the keys of its neighbours in the pipeline), "model" (the members of model.Shape), "begin" and "end" (its layers).
Writes the URI that it listens at, and ends when the stage before it does, or standard input.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a stage is one core

import asyncio
import json
import sys

import axl
import framing
import model
from tensor_session import TensorSession

ACTIVATION_PORT = 4100
MAX_SEQUENCES = 64
MAX_ACTIVATION = 1 << 24


class Sequences:
    """The caches of the sequences under way, each fed in the order of positions."""

    def __init__(self, part):
        self.part = part
        self._kept = {}

    def step(self, sequence, position, x):
        """Position 0 begins the sequence anew."""
        if position == 0:
            if len(self._kept) >= MAX_SEQUENCES and sequence not in self._kept:
                raise framing.MessageError(f"more than {MAX_SEQUENCES} sequences")
            self._kept[sequence] = (self.part.new_cache(), 0)
        cache, expected = self._kept.get(sequence, (None, None))
        if position != expected or len(x) == 0 or position + len(x) > self.part.shape.context:
            raise framing.MessageError(f"sequence {sequence} does not go on with {len(x)} at {position}")
        self._kept[sequence] = (cache, position + len(x))
        return self.part(x, cache, position)


async def accept_from(listener, key):
    """The session of this key; others are turned away."""
    async for session in listener:
        if session.peer == key:
            return TensorSession(session, MAX_ACTIVATION)
        session.abort()


async def connect(node, key):
    """As soon as there is a way to the key."""
    await node.ping(key, 60)
    return TensorSession(await node.connect(key, ACTIVATION_PORT), MAX_ACTIVATION)


def activations(message, width):
    x = message.array
    if message.type != "activation" or x.dtype != "<f4" or x.ndim != 2 or x.shape[1] != width:
        raise framing.MessageError(f"{message.type!r:.50} of {x.dtype} {x.shape} is no activation")
    return x


async def serve(node, listener, part, config):
    sequences = Sequences(part)
    kind = "activation" if part.head is None else "logits"
    previous, following = await asyncio.gather(accept_from(listener, config["previous"]), connect(node, config["next"]))
    async for body in previous.session.messages():
        message = framing.unpack(body)
        sequence, position = message.number("sequence"), message.number("position")
        out = sequences.step(sequence, position, activations(message, part.shape.width))
        await following.send({"type": kind, "sequence": sequence, "position": position}, out)
    await following.session.flush()
    following.session.close()


async def main():
    config = json.loads(sys.stdin.readline())
    async with axl.Node(identity=axl.PrivateKey.from_pem(config["identity"]), listen=config["listen"],
                        peers=config["peers"], log_level=axl.LogLevel.error) as node:
        listener = node.listen(ACTIVATION_PORT)
        part = model.Part(model.Shape(**config["model"]), config["begin"], config["end"])
        print(node.listeners[0], flush=True)
        serving = asyncio.create_task(serve(node, listener, part, config))
        ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await asyncio.wait([serving, ended], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)  # a thread may still wait for standard input
