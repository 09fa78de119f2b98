"""The model over several processes: this one has the first layers, asks for tokens and chooses them; stage.py has the rest."""

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict

import axl
import framing
import model
import numpy
from stage import ACTIVATION_PORT, accept_from, connect

LISTEN = "tls://127.0.0.1:0"


class Pipeline:
    """``async with Pipeline(shape, 3) as pipeline: ...`` starts the other processes, and ends them."""

    def __init__(self, shape, parts):
        self.shape = shape
        self._cuts = model.cut(shape.layers, parts)
        self._part = model.Part(shape, *self._cuts[0])
        self._children = []
        self._node = self._to_next = self._from_last = None

    async def __aenter__(self):
        keys = [axl.PrivateKey.generate() for _ in self._cuts]
        self._node = axl.Node(identity=keys[0], listen=[LISTEN], log_level=axl.LogLevel.error)
        await self._node.start()
        try:
            await self._start(keys)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _start(self, keys):
        """The last stage first, so that each can link to the one that it sends to."""
        uri = self._node.listeners[0]
        listener = self._node.listen(ACTIVATION_PORT)
        for index in reversed(range(1, len(keys))):
            begin, end = self._cuts[index]
            peers = [uri] if index == len(keys) - 1 else [uri, self._node.listeners[0]]
            uri = await self._start_stage({
                "identity": keys[index].to_pem(), "listen": [LISTEN], "peers": peers, "model": asdict(self.shape),
                "begin": begin, "end": end, "previous": keys[index - 1].public_key,
                "next": keys[(index + 1) % len(keys)].public_key})
        self._to_next, self._from_last = await asyncio.gather(connect(self._node, keys[1].public_key),
                                                              accept_from(listener, keys[-1].public_key))

    async def _start_stage(self, config):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stage.py")
        child = await asyncio.create_subprocess_exec(sys.executable, program, stdin=asyncio.subprocess.PIPE,
                                                     stdout=asyncio.subprocess.PIPE)
        self._children.append(child)
        child.stdin.write(json.dumps(config).encode() + b"\n")
        uri = (await child.stdout.readline()).decode().strip()
        if not uri:
            raise RuntimeError("a stage ended before it began")
        return uri

    async def __aexit__(self, *_):
        if self._to_next:
            self._to_next.session.close()
        for child in self._children:
            child.stdin.close()
            await child.wait()
        await self._node.close()

    async def generate(self, prompts, count):
        """Greedy decoding of all prompts at once, each token as soon as the one before is known. Tokens and logits of each, and
        the seconds that it took."""
        begin = time.perf_counter()
        caches = [self._part.new_cache() for _ in prompts]
        positions = [0] * len(prompts)
        said = [[] for _ in prompts]
        logits = [[] for _ in prompts]

        async def step(sequence, tokens):
            position = positions[sequence]
            x = self._part(self._part.embed(tokens, position), caches[sequence], position)
            positions[sequence] += len(tokens)
            await self._to_next.send({"type": "activation", "sequence": sequence, "position": position}, x)

        for sequence, prompt in enumerate(prompts):
            await step(sequence, numpy.frombuffer(prompt, numpy.uint8))
        while any(len(one) < count for one in said):
            message = await self._from_last.receive()
            sequence, out = message.number("sequence", most=len(prompts) - 1), message.array
            if message.type != "logits" or out.shape != (1, model.VOCABULARY) or len(said[sequence]) == count:
                raise framing.MessageError(f"{message.type!r:.50} is not the logits that are waited for")
            tokens = out.argmax(axis=-1)
            said[sequence].append(int(tokens[0]))
            logits[sequence].append(out[0])
            if len(said[sequence]) < count:
                await step(sequence, tokens)
        seconds = time.perf_counter() - begin
        return [bytes(one) for one in said], [numpy.stack(one) for one in logits], seconds


