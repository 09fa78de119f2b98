"""Messages that reach whoever subscribes to their topic."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypedDict

from ._native import Published, Undecided
from ._waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .node import Node

_log = logging.getLogger("axl.pubsub")

#: ``accept``: it is delivered and handed on. ``reject``: it is wrong, and the peer that sends such often loses its good
#: name. ``ignore``: it goes no further.
Verdict = Literal["accept", "reject", "ignore"]
Validator = Callable[[Published], Verdict | Awaitable[Verdict]]


class PubSubOptions(TypedDict, total=False):
    """As ``axl::PubSubOptions`` documents them."""

    peers: Sequence[str]
    find_peers: bool
    signatures: bool
    max_body: int
    port: int
    legacy: bool


@dataclass(frozen=True)
class TopicView:
    """A topic that this node subscribes to. ``mesh``: peers that messages are exchanged with; ``peers``: how many of
    those that are connected subscribe."""

    name: str
    mesh: tuple[str, ...]
    peers: int


@dataclass(frozen=True)
class PubSubStatistics:
    """``peers`` are connected. ``received`` and ``sent`` count copies; of those that came, ``duplicates`` were known and
    ``refused`` not valid."""

    peers: int
    published: int
    delivered: int
    received: int
    duplicates: int
    refused: int
    sent: int
    kept_messages: int
    kept_bytes: int


class PubSub:
    """What the publish and subscribe of a node looks like from inside."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def topics(self) -> list[TopicView]:
        """Those that are subscribed to, in the order of names."""
        topics = await self._node._operation(self._node._native.pubsub_topics())
        return [TopicView(one["name"], tuple(one["mesh"]), one["peers"]) for one in topics]

    async def mesh(self, topic: str) -> tuple[str, ...]:
        """The peers that messages of this topic are exchanged with; none when it is not subscribed to."""
        return next((one.mesh for one in await self.topics() if one.name == topic), ())

    async def peers(self) -> list[str]:
        """Those that are connected."""
        peers: list[str] = await self._node._operation(self._node._native.pubsub_peers())
        return peers

    async def statistics(self) -> PubSubStatistics:
        """What it counts."""
        return PubSubStatistics(**await self._node._operation(self._node._native.pubsub_statistics()))


class Subscription(Waiting):
    """``async for message in node.subscribe("topic")``: what others publish, in no particular order.

    When the program is slower than what comes, the oldest messages that wait are dropped: ``dropped`` counts them, and
    the log (``axl.pubsub``) has a warning at the first.
    """

    def __init__(self, node: Node, topic: str, validator: Validator | None, most: int) -> None:
        self._native = node._native.subscribe(topic, validator is not None, most)
        self._open = True
        self._warned = False
        self._validator = validator
        self._judging: set[asyncio.Task[None]] = set()
        super().__init__(node, self._native.id)
        self.topic = topic

    @property
    def dropped(self) -> int:
        """Messages that nobody took in time."""
        return self._native.dropped

    def close(self) -> None:
        """Leaves the topic, if this is its last subscription; what was not handed out is gone."""
        if not self._open:
            return
        self._open = False
        for task in self._judging:
            task.cancel()
        if not self._node.closed:  # it ends with its node
            self._native.close(self._node._native)
        self._changed()

    async def aclose(self) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            self.close()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Published:
        while self._open:
            message = self._native.next()
            if not self._warned and self._native.dropped:
                self._warned = True
                _log.warning("messages of topic %s come faster than they are read: the oldest are dropped", self.topic)
            if message is not None:
                return message
            await self._change()
        raise StopAsyncIteration

    # The message is ignored when `value` is let go.
    def _arrived(self, value: Undecided) -> None:
        if not self._open or self._validator is None:
            return
        try:
            verdict = self._validator(value.message)
            if not inspect.isawaitable(verdict):
                value.decide(verdict)
                return
        except Exception as error:
            self._report(value, error)
            return
        task = self._node._loop.create_task(self._judge(value, verdict))
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)

    async def _judge(self, value: Undecided, verdict: Awaitable[Verdict]) -> None:
        try:
            value.decide(await verdict)
        except Exception as error:
            self._report(value, error)

    def _report(self, value: Undecided, error: Exception) -> None:
        value.decide("ignore")
        message = f"the validator of topic {self.topic} failed: the message is ignored"
        self._node._loop.call_exception_handler({"message": message, "exception": error})
