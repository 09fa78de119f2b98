"""Tensors in an axl session: each message is 4 length bytes and the map of framing.py. Arrays are sent from where they lie,
and read where they arrived."""

import struct

import framing

TENSOR_PORT = 4000  # overlay port of the tensor exchange
PLAIN_PORT = 4001   # the same bytes without a map, to compare with
MAX_MESSAGE = (1 << 30) + framing.MAX_HEAD

_SMALL = 4096  # bytes that are sooner copied than sent by themselves


class TensorSession:
    """The session's writer and reader. No other may write to it."""

    def __init__(self, session, max_message=MAX_MESSAGE):
        self.session = session
        session.max_message_size = max_message

    async def send(self, fields, array=None):
        """Waits for room and queues the message. The array must not change until the peer has it: ``session.flush()``."""
        if array is None:
            await self.session.send_message(framing.pack(fields))
            return
        data = framing.raw(array)
        head = framing.head(fields, array.dtype, array.shape, len(data))
        if len(head) + len(data) > MAX_MESSAGE:
            raise ValueError(f"a tensor of {len(data)} bytes is too large for one message")
        first = struct.pack(">I", len(head) + len(data)) + head
        await self.session.drain()
        if len(data) <= _SMALL:
            self.session.write(first + data)
            return
        self.session.write(first)
        self.session.write(data)

    async def receive(self):
        """The next Message; axl.Closed at the peer's end, framing.MessageError when it is none."""
        return framing.unpack(await self.session.receive())
