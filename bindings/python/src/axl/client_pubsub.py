"""Publish and subscribe through a node that runs beside this program."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import errors
from ._events import Events, EventsRefused
from .pubsub import PubSubStatistics, TopicView

if TYPE_CHECKING:
    from .client import Client

_log = logging.getLogger("axl.pubsub")


def _target(topic: str) -> str:
    return f"/pubsub/{quote(topic, safe='')}"


@dataclass(frozen=True, repr=False)
class PublishedMessage:
    """What ``axl.Published`` is of a node in this process. ``body`` is a view."""

    topic: str
    id: str
    origin: str
    signer: str | None
    proved: bool
    relay: str
    hops: int
    body: memoryview

    def __len__(self) -> int:
        return len(self.body)

    def __repr__(self) -> str:
        return f"<axl published {self.id} of {len(self.body)} bytes from {self.origin[:16]}>"


def _message(data: Any) -> PublishedMessage:
    return PublishedMessage(data["topic"], data["id"], data["origin"], data["signer"], data["proved"], data["from"], data["hops"],
                            memoryview(base64.b64decode(data["data"])))


class ClientSubscription:
    """``async for message in client.subscribe("topic")``: what is published, in no particular order.

    Begins with ``async with``, or when the first message is asked for. The node keeps the last messages, some hundred, for
    a program that is slow; of more, the oldest are dropped: ``dropped`` counts them, and the log (``axl.pubsub``) has a
    warning at the first.
    """

    def __init__(self, client: Client, topic: str) -> None:
        self._client = client
        self._events: Events | None = None
        self._open = True
        self.topic = topic
        #: Messages that this program did not take in time.
        self.dropped = 0

    async def _begin(self) -> Events:
        if self._events is None:
            try:
                self._events = await Events.open(self._client._http, _target(self.topic))
            except EventsRefused as refused:
                raise self._client._failure(refused.status, str(refused)) from None
        return self._events

    def close(self) -> None:
        """What was not handed out is gone."""
        self._open = False
        if self._events is not None:
            self._events.close()

    async def aclose(self) -> None:
        self.close()

    def __del__(self) -> None:
        try:
            self.close()
        except (AttributeError, RuntimeError):
            pass  # it was never made, or its event loop has ended before

    async def __aenter__(self) -> ClientSubscription:
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> ClientSubscription:
        return self

    async def __anext__(self) -> PublishedMessage:
        while self._open:
            event = await (await self._begin()).next()
            if event is None:
                break
            kind, data = event
            if kind == "message":
                return _message(data)
            if kind == "dropped":
                if not self.dropped:
                    _log.warning("messages of topic %s come faster than they are read: the oldest are dropped", self.topic)
                self.dropped += data["count"] or 0
        if self._open:
            raise errors.Closed("the node has ended the subscription")
        raise StopAsyncIteration


class ClientPubSub:
    """What the publish and subscribe of the node looks like from inside. As ``PubSub``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def topics(self) -> list[TopicView]:
        """Those that the node subscribes to, for whichever program, in the order of names."""
        shown = await self._client._json("GET", "/pubsub")
        return [TopicView(one["topic"], tuple(one["mesh"]), one["peers"]) for one in shown["topics"]]

    async def mesh(self, topic: str) -> tuple[str, ...]:
        """The peers that messages of this topic are exchanged with; none when it is not subscribed to."""
        return next((one.mesh for one in await self.topics() if one.name == topic), ())

    async def peers(self) -> list[str]:
        """Those that are connected."""
        peers: list[str] = (await self._client._json("GET", "/pubsub"))["peers"]
        return peers

    async def statistics(self) -> PubSubStatistics:
        """What the node counts while programs use it."""
        shown = await self._client._json("GET", "/pubsub")
        counted = {name: shown.get(name, 0) for name in PubSubStatistics.__dataclass_fields__ if name != "peers"}
        return PubSubStatistics(peers=len(shown["peers"]), **counted)
