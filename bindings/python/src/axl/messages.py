"""Messages of a node's receive queue, as asynchronous iterators."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from ._native import Message
from ._waiting import Waiting
from .errors import Closed

if TYPE_CHECKING:
    from .node import Node

_AHEAD = 128  # so many are on their way from the node's thread, for those who take them at once
_DAY = 86_400.0


class _Reading(Waiting):
    def __init__(self, node: Node, topic: str, sender: str | None, ahead: int, keep: bool, time: float) -> None:
        self._reader = node._native.reader(topic, sender, ahead, keep, time)
        self._open = True
        super().__init__(node, self._reader.id)

    def close(self) -> None:
        """What was not handed out is in the queue again, at its old place."""
        if not self._open:
            return
        self._open = False
        try:
            self._reader.close(self._node._native)
        except Closed:
            pass  # the queue has ended with its node
        self._changed()

    async def aclose(self) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            self.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Messages(_Reading):
    """``async for message in node.messages("topic")``: each is out of the queue when it is handed out, not before."""

    def __init__(self, node: Node, topic: str, sender: str | None) -> None:
        super().__init__(node, topic, sender, _AHEAD, False, _DAY)

    def __aiter__(self) -> Messages:
        return self

    async def __aenter__(self) -> Messages:
        return self

    async def __anext__(self) -> Message:
        while self._open:
            message = self._reader.next(self._node._native)
            if message is not None:
                return message
            await self._change()
        raise StopAsyncIteration


class Lease:
    """A message that is yours for a while. It stays in the queue until it is confirmed, and comes again otherwise.

    ``async with lease as message`` confirms at the end of the block, or gives back when the block raises.
    """

    __slots__ = ("_id", "_node", "message", "reading")

    def __init__(self, node: Node, message: Message, id: int, reading: int) -> None:
        self._node = node
        self._id = id
        #: The message.
        self.message = message
        #: 1 for the first reading; more: the message came again.
        self.reading = reading

    async def confirm(self) -> bool:
        """The message has been dealt with, and is gone. False: another reader has received or confirmed it."""
        done: bool = await self._node._operation(self._node._native.confirm(self._id, self.reading))
        return done

    async def give_back(self) -> bool:
        """The message is at its old place in the queue again, now. False: this lease has ended before."""
        done: bool = await self._node._operation(self._node._native.give_back(self._id, self.reading))
        return done

    async def __aenter__(self) -> Message:
        return self.message

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.confirm()
        else:
            # Asked for at once; a task that is being cancelled waits for nothing.
            self._node._native.give_back(self._id, self.reading)


class Leases(_Reading):
    """``async for lease in node.leases("topic")``: one message at a time is leased, and only when asked for."""

    def __init__(self, node: Node, topic: str, sender: str | None, time: float) -> None:
        super().__init__(node, topic, sender, 1, True, time)

    def __aiter__(self) -> Leases:
        return self

    async def __aenter__(self) -> Leases:
        return self

    async def __anext__(self) -> Lease:
        while self._open:
            leased = self._reader.next_lease(self._node._native)
            if leased is not None:
                return Lease(self._node, *leased)
            await self._change()
        raise StopAsyncIteration
