"""Tensors that are larger than one message may be: pieces of the same map, each with ``transfer`` (what they belong to),
``seq`` and ``count``, and ``offset``, where in the tensor its bytes go. A message without ``count`` is whole."""

from collections import OrderedDict

import framing

CHUNK = 15 << 20         # under the 16 MiB that a node takes by default, head included
MAX_TRANSFERS = 16       # that are under way at once; the one that moved longest ago gives way
MAX_CHUNKS = 1 << 16


def split(fields, array, transfer, chunk=CHUNK):
    """The messages of one tensor, each a bytes object."""
    data = framing.raw(array)
    count = max(1, -(-len(data) // chunk))
    for seq in range(count):
        piece = data[seq * chunk:(seq + 1) * chunk]
        more = {} if count == 1 else {"transfer": transfer, "seq": seq, "count": count, "offset": seq * chunk}
        head = framing.head({**fields, **more}, array.dtype, array.shape, len(piece))
        yield b"".join((head, piece))


class Transfers:
    """What has come of tensors in pieces. ``take`` is told of each piece once, in whatever order they come."""

    def __init__(self):
        self._under_way = OrderedDict()

    def add(self, sender, message, begin, take):
        """``begin(size)`` makes the state of a transfer, ``take(state, offset, bytes)`` changes it. Returns the state when all
        is there, else None."""
        if message.piece is None:
            raise framing.MessageError("a message without a tensor")
        count = message.number("count", 1, least=1, most=MAX_CHUNKS)
        size = framing.tensor_size(message.dtype, message.shape)
        offset = message.number("offset", 0, most=size)
        if offset + len(message.piece) > size or offset % message.dtype.itemsize or (count == 1 and len(message.piece) != size):
            raise framing.MessageError(f"{len(message.piece)} bytes at {offset} of a tensor of {size}")
        seq = message.number("seq", 0, most=count - 1)
        key = (sender, message.type, message.fields.get("transfer") if count > 1 else None)
        if not isinstance(key[2], (str, type(None))):
            raise framing.MessageError("'transfer' is no text")
        facts = (message.dtype, message.shape, count)
        state = self._under_way.pop(key, None) if count > 1 else None
        if state is None:
            state = {"facts": facts, "seen": set(), "left": size, "value": begin(size)}
        if state["facts"] != facts:
            raise framing.MessageError("pieces that do not belong together")
        if seq not in state["seen"]:  # it may have been sent again
            take(state["value"], offset, message.piece)
            state["seen"].add(seq)
            state["left"] -= len(message.piece)
        if len(state["seen"]) == count:
            if state["left"] != 0:
                raise framing.MessageError("pieces that are not all of the tensor")
            return state["value"]
        self._under_way[key] = state
        if len(self._under_way) > MAX_TRANSFERS:
            self._under_way.popitem(last=False)
        return None
