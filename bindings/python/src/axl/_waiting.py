"""Those who wait until something of a node has changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .errors import Closed

if TYPE_CHECKING:
    from .node import Node


class Waiting:
    """Gets what the node hears for one id. Lives as long as somebody holds it: the node does not."""

    def __init__(self, node: Node, id: int) -> None:
        self._node = node
        self._waiters: list[asyncio.Future[None]] = []
        node._targets[id] = self

    async def _change(self) -> None:
        """Returns when something has changed since the last look, which the caller takes without awaiting in between."""
        if self._node.closed:
            raise Closed("the node has been closed")
        waiter: asyncio.Future[None] = self._node._loop.create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _changed(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _arrived(self, value: Any) -> None:
        raise NotImplementedError
