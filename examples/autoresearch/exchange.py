"""How the agents of a team hear of each other's findings: published as they are made, and asked for over MCP."""
import asyncio
import json
import logging
import time

from findings import Board, Unusable, parse

log = logging.getLogger("autoresearch")
TOPIC = "autoresearch"
SERVICE = "research"
ASK_AFTER = 5  # seconds that a finding has to come before its author is asked; for so long a node keeps what it has published
OWN_KEPT = 1000  # findings of one's own that can be asked for, and the best besides


class Broadcast:
    """Publishes to whoever subscribes, and hears them from its making on. Who is away for more than some seconds misses it."""

    def __init__(self, node):
        self._node = node
        self._subscription = node.subscribe(TOPIC, sensible)

    async def publish(self, data):
        await self._node.publish(TOPIC, data)

    async def received(self):
        """(sender, data), with the sender that the mesh has authenticated."""
        async with self._subscription as messages:
            async for message in messages:
                yield author(message), message.body


def author(message):
    """Who published it. None: the node that signed for it had it from somebody else, so its content has to be signed."""
    return message.origin if message.proved else None


def sensible(message):
    """What is no finding goes no further. Those of other teams do: they have to pass through somebody."""
    try:
        parse(message.body, author(message))
    except Unusable as error:
        log.warning("%s sent no finding: %s", message.origin[:8], error)
        return "reject"
    return "accept"


class Exchange:
    """One agent's part: what it has published, and what it has heard of its team. `async with`, while its node runs.

    `guests`: keys outside the team that may ask over MCP.
    """

    def __init__(self, node, signer, team, guests=()):
        self.key = node.key
        self.board = Board(key for key in team if key != node.key)
        self._node = node
        self._signer = signer
        self._transport = Broadcast(node)
        self._team = sorted(set(team) - {node.key})
        self._guests = sorted(guests)
        self._own = {}
        self._best = None
        self._news = asyncio.Condition()

    async def __aenter__(self):
        self._service = await self._node.serve_mcp(SERVICE, self._server(), allow=[*self._team, *self._guests])
        self._port = await self._node.serve_api("127.0.0.1", 0)
        self._hearing = asyncio.create_task(self._hear())
        self._hearing.add_done_callback(tell_failure)
        return self

    async def __aexit__(self, *_):
        self._hearing.cancel()
        await asyncio.gather(self._hearing, return_exceptions=True)
        await self._service.close()

    async def publish(self, finding):
        signed = self._signer.sign(finding)
        self._own[signed.round] = signed
        if len(self._own) > OWN_KEPT:
            del self._own[next(iter(self._own))]
        if signed.status == "keep" and (self._best is None or signed.val_bpb < self._best.val_bpb):
            self._best = signed
        await self._transport.publish(signed.to_json())

    async def heard(self, round, patience=600):
        """Waits for the findings of this round: agents in step get the same results every time. What does not come is asked
        for. Who is away is not waited for longer than `patience` seconds."""

        end = time.monotonic() + patience
        pause = ASK_AFTER
        while not await self._told(round, min(pause, end - time.monotonic())):
            if time.monotonic() >= end:
                log.warning("not everybody has told a finding of round %s", round)
                return
            for peer in self._missing(round):
                await self._ask_for(peer, "finding", round=round)
            pause *= 2

    def _missing(self, round):
        return [peer for peer in self._team if not self.board.has(peer, round)]

    async def _told(self, round, seconds):
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: not self._missing(round)), seconds)
            except asyncio.TimeoutError:
                return False
        return True

    async def _hear(self):
        async for sender, data in self._transport.received():
            await self._take(data, sender)

    async def _take(self, data, sender=None):
        try:
            finding = parse(data, sender)
        except Unusable as error:
            log.warning("%s told no finding: %s", (sender or "somebody")[:8], error)
            return
        if self.board.add(finding):
            async with self._news:
                self._news.notify_all()

    # --- The same over MCP, for who was away, or was not here yet

    def _server(self):
        try:
            from mcp.server.mcpserver import MCPServer as Server
        except ImportError:  # the SDK of 2025
            from mcp.server.fastmcp import FastMCP as Server
        server = Server(SERVICE)

        @server.tool()
        def best() -> str:
            """The best finding of this agent, its train.py in it, as signed JSON; "null" when there is none."""
            return self._best.to_json() if self._best else "null"  # measured here: nobody's claims are passed on

        @server.tool()
        def finding(round: int) -> str:
            """This agent's finding of a round, as signed JSON; "null" when there is none."""
            return self._own[round].to_json() if round in self._own else "null"

        return server

    async def ask(self, peer, tool, **arguments):
        """The text that a peer's tool answers with."""
        url = f"http://127.0.0.1:{self._port}/mcp/{peer}/{SERVICE}"
        result = await call(url, tool, arguments)
        return result.content[0].text

    async def catch_up(self):
        """Asks each of the team for its best. An answer that is not signed by one of the team is passed over."""
        for peer in self._team:
            await self._ask_for(peer, "best")

    async def _ask_for(self, peer, tool, **arguments):
        try:
            answer = await asyncio.wait_for(self.ask(peer, tool, **arguments), 60)
        except Exception as error:  # whatever a peer or the SDK comes up with: others may do better
            log.warning("%s was asked in vain: %r", peer[:8], error)
            return
        if answer != json.dumps(None):
            await self._take(answer.encode())


def tell_failure(task):
    if not task.cancelled() and task.exception():
        log.error("hears no more findings", exc_info=task.exception())


async def call(url, tool, arguments):
    """One call with the SDK's client, of whichever generation is here."""
    import mcp

    if hasattr(mcp, "Client"):
        async with mcp.Client(url) as client:
            return await client.call_tool(tool, arguments)
    from mcp.client.streamable_http import streamablehttp_client

    async with streamablehttp_client(url) as (read, write, _), mcp.ClientSession(read, write) as session:
        await session.initialize()
        return await session.call_tool(tool, arguments)
