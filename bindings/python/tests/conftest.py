"""Nodes for the tests: real ones, linked over TLS on loopback."""

import asyncio
import contextlib

import axl
import pytest

PATIENCE = 120  # seconds; only ends a test that hangs


class Nodes(contextlib.AsyncExitStack):
    """Makes nodes that end with the test."""

    async def node(self, *peers, **options):
        """A node that listens, and dials those given."""
        options = {"listen": ["tls://127.0.0.1:0"], "log_level": axl.LogLevel.off, **options}
        return await self.enter_async_context(axl.Node(peers=[peer.listeners[0] for peer in peers], **options))

    async def pair(self, **options):
        """Two nodes that can reach each other."""
        first = await self.node(**options)
        second = await self.node(first, **options)
        await second.ping(first.key, 60)
        return first, second


async def until(condition, what="it happens"):
    """Waits for a condition, which may be a coroutine function."""
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        await asyncio.sleep(0.01)


@pytest.fixture
def run():
    """Runs a coroutine function with fresh Nodes, on an event loop of its own."""

    def runner(test):
        async def body():
            async with asyncio.timeout(PATIENCE), Nodes() as nodes:
                return await test(nodes)

        return asyncio.run(body(), debug=False)

    return runner
