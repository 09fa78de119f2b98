"""The tensor exchange through the local HTTP API of a node beside this program, as messages: /send, /recv and /topology.

Messages have no topic, so they meet those of older programs. What is none of the exchange is reported and left at that.
"""

import asyncio
import math
import secrets
import time

import axl
import chunks
import framing
import numpy
import older_form
import values

SEED = 42
SIZES = ((10, 10), (100, 100), (1000, 1000), (10_000, 10_000))
WAIT = 20             # seconds of one long poll
LONGEST_WAIT = 2400   # for an acknowledgement
MAX_TENSOR = 1 << 28  # bytes of one that is put together from pieces to be shown
MAX_REBUILT = 1 << 26  # elements of an older tensor that is made again to compare


async def first_peer(client):
    """Of the peers that are up."""
    for peer in (await client.topology()).peers:
        if peer.up:
            return peer.public_key
    raise SystemExit("no peer is up: name one")


class Receiver:
    """What ``recv`` does with each message."""

    def __init__(self, client, say=print):
        self._client, self._say = client, say
        self._transfers = chunks.Transfers()

    async def serve(self):
        while True:
            received = await self._client.receive(wait=WAIT)
            if received is None:
                continue
            try:
                await self.on_message(received.sender, framing.unpack(received.body))
            except framing.MessageError as error:
                self._say(f"{received.sender[:16]}: {error}")

    async def on_message(self, sender, message):
        if message.type == "bandwidth_test":
            await self._on_bandwidth_test(sender, message)
        elif message.type in ("tensor_test", "warmup"):
            self._on_tensor(sender, message)
        else:
            self._say(f"{sender[:16]}: a message of type {message.type!r:.50}")

    def _on_tensor(self, sender, message):
        if message.archive is not None:
            found = older_form.load(message.archive) if older_form.available() else "a PyTorch archive, and PyTorch is not here"
            self._say(f"{sender[:16]}: {message.type} {message.shape}: {found}")
            return

        def begin(size):
            if size > MAX_TENSOR:
                raise framing.MessageError(f"a tensor of {size} bytes is more than is shown here")
            return bytearray(size)

        def take(whole, offset, piece):
            whole[offset:offset + len(piece)] = piece

        whole = self._transfers.add(sender, message, begin, take)
        if whole is None:
            return
        array = numpy.frombuffer(whole, message.dtype).reshape(message.shape)
        claimed = message.fields.get("from")
        doubt = "" if claimed in (None, sender) else f", and says it is from {claimed!r:.70}"
        self._say(f"{sender[:16]}: {message.type} {array.dtype.name} {list(array.shape)}{doubt}\n"
                  f"{numpy.array2string(array, threshold=50)}")

    async def _on_bandwidth_test(self, sender, message):
        seed = message.number("seed", SEED)
        if message.archive is not None:
            if not older_form.available():
                self._say(f"{sender[:16]}: bandwidth_test {message.shape}: a PyTorch archive, and PyTorch is not here: not answered")
                return
            if math.prod(message.shape) > MAX_REBUILT:
                raise framing.MessageError(f"a tensor {list(message.shape)} is more than is made again here")
            verified = older_form.is_seeded(message.archive, message.shape, seed)
        else:
            def take(state, offset, piece):
                state["verified"] = (state["verified"] and message.dtype == "<f4"
                                     and values.is_piece(piece, seed, offset // message.dtype.itemsize))

            state = self._transfers.add(sender, message, lambda _: {"verified": True}, take)
            if state is None:
                return
            verified = state["verified"]
        self._say(f"{sender[:16]}: bandwidth_test {list(message.shape)}: {'verified' if verified else 'NOT what was sent'}")
        transfer = message.fields.get("transfer")
        ack = {"type": "bandwidth_ack", "verified": verified, "timestamp": time.time(), **({"transfer": transfer} if transfer else {})}
        try:
            await self._client.send(sender, framing.pack(ack))
        except axl.Error as error:
            self._say(f"{sender[:16]}: not answered: {error}")


async def tensor(client, peer, say=print):
    """Sends one tensor, which the peer prints."""
    array = numpy.arange(12, dtype="<f4").reshape(3, 4)
    fields = {"type": "tensor_test", "from": await client.key(), "timestamp": time.time()}
    for message in chunks.split(fields, array, secrets.token_hex(8)):
        await client.send(peer, message)
    say(f"sent tensor_test {array.dtype.name} {list(array.shape)} to {peer[:16]}")


async def bandwidth(client, peer, sizes=SIZES, say=print):
    """Rates from the first byte sent to the acknowledgement. True when the peer has verified all."""
    for message in chunks.split({"type": "warmup", "timestamp": time.time()}, values.make((5, 5), 1), ""):
        await client.send(peer, message)
    await asyncio.sleep(0.5)  # the protocol's pause after the warm-up
    right = True
    for shape in sizes:
        array = values.make(shape, SEED)
        transfer = secrets.token_hex(8)
        begin = time.perf_counter()
        fields = {"type": "bandwidth_test", "test_name": "x".join(map(str, shape)), "shape": list(shape), "seed": SEED,
                  "timestamp": time.time()}
        for message in chunks.split(fields, array, transfer):
            await client.send(peer, message)
        verified = await _acknowledged(client, peer, transfer, say)
        seconds = time.perf_counter() - begin
        right = right and verified
        say(f"{fields['test_name']}: {array.nbytes / (1 << 20):.2f} MiB in {seconds:.3f} s, {array.nbytes / (1 << 20) / seconds:.1f} MiB/s, "
            f"{'verified' if verified else 'NOT verified'}")
    return right


async def _acknowledged(client, peer, transfer, say):
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        received = await client.receive(sender=peer, wait=WAIT)
        if received is None:
            continue
        try:
            message = framing.unpack(received.body)
        except framing.MessageError as error:
            say(f"{peer[:16]}: {error}")
            continue
        if message.type == "bandwidth_ack" and message.fields.get("transfer", transfer) == transfer:
            return message.fields.get("verified") is True
    raise axl.TimedOut("no acknowledgement")
