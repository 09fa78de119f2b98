"""A service in the program itself: requests of peers become calls of an ASGI application, without a port in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from ._native import ServiceCall
from ._waiting import Waiting

if TYPE_CHECKING:
    from .node import Node

_log = logging.getLogger("axl.service")
_ENOUGH = 262_144  # bytes that wait for a slow caller before the application does

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Awaitable[None]]


class Disconnected(OSError):
    """What an application gets that goes on answering a caller who has gone."""


def mcp_application(server: Any) -> tuple[Application, str]:
    """The ASGI application of an MCP server of the official SDK, and the path of MCP in it."""
    make = getattr(server, "streamable_http_app", None)
    if make is None:
        raise TypeError(f"{type(server).__name__} is no MCP server of the SDK: it has no streamable_http_app()")
    application: Application = make()
    path = getattr(getattr(server, "settings", None), "streamable_http_path", "/mcp")
    return application, path


class Service(Waiting):
    """One registered service; ``close()`` takes it back. ``async with await node.serve_mcp(...)`` does so at its end."""

    def __init__(self, node: Node, id: int, name: str, application: Application, path: str) -> None:
        super().__init__(node, id)
        self._id = id
        self.name = name
        self._application = application
        self._path = path.rstrip("/")
        self._calls: set[asyncio.Task[None]] = set()
        self._lifespan = _Lifespan(application)

    async def _begin(self, allow: list[str] | None) -> None:
        await self._lifespan.start()
        try:
            await self._node._operation(self._node._native.add_handler(self.name, allow, self._id))
        except BaseException:
            await self._lifespan.stop()
            raise
        self._node._services.add(self)

    async def close(self) -> None:
        """Takes no more requests, and ends those under way."""
        if self not in self._node._services:
            return
        await self._node.remove_service(self.name)
        await self._end()

    async def _end(self) -> None:
        self._node._services.discard(self)
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await self._lifespan.stop()

    async def __aenter__(self) -> Service:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _arrived(self, value: ServiceCall) -> None:
        if self not in self._node._services:
            value.respond(503, [], b"")
            return
        exchange = _Exchange(self._node, value, self._path, self._lifespan.state)
        task = self._node._loop.create_task(exchange.run(self._application))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)


class _Exchange(Waiting):
    """One request and its answer."""

    def __init__(self, node: Node, call: ServiceCall, base: str, state: dict[str, Any]) -> None:
        super().__init__(node, call.id)
        self._call = call
        self._asked = False
        self._head: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._begun = False
        self._finished = False
        raw_path = base.encode() + call.path
        # A server of the SDK checks that it is spoken to as the local server that it is; who calls it is the mesh's to say.
        headers = [(name.lower(), value) for name, value in call.headers if name.lower() != b"host"]
        self.scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": call.method,
            "scheme": "http",
            "path": unquote_to_bytes(raw_path).decode("utf-8", "replace") or "/",
            "raw_path": raw_path or b"/",
            "query_string": call.query,
            "root_path": "",
            "headers": [(b"host", b"localhost:80"), *headers],
            "client": None,
            "server": ("localhost", 80),
            "state": state.copy(),
            "extensions": {"axl": {"caller": call.caller, "service": call.service}},
        }

    async def run(self, application: Application) -> None:
        try:
            await application(self.scope, self._receive, self._send)
        except asyncio.CancelledError:
            self._call.abort()
            raise
        except Exception:
            if self._call.connected:
                _log.exception("the service %s failed", self._call.service)
        if self._finished:
            return
        if self._begun:
            self._call.abort()
        else:
            self._call.respond(500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error\n")

    async def _receive(self) -> Event:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._call.body, "more_body": False}
        while self._call.connected and not self._finished:
            await self._change()
        return {"type": "http.disconnect"}

    async def _send(self, event: Event) -> None:
        if self._finished:
            raise RuntimeError("the answer is finished")
        if not self._call.connected:
            raise Disconnected("the caller has gone")
        if event["type"] == "http.response.start":
            if self._head is not None:
                raise RuntimeError("the answer has begun")
            self._head = (event["status"], [(bytes(name), bytes(value)) for name, value in event.get("headers", [])])
        elif event["type"] == "http.response.body":
            await self._send_body(bytes(event.get("body", b"")), event.get("more_body", False))
        else:
            raise RuntimeError(f"an answer has no {event['type']!r}")

    async def _send_body(self, body: bytes, more: bool) -> None:
        if self._head is None:
            raise RuntimeError("the answer has not begun")
        if not self._begun and not more:
            self._finish()
            self._call.respond(*self._head, body)
            return
        if not self._begun:
            self._begun = True
            self._call.start(*self._head)
        self._call.write(body)
        if not more:
            self._finish()
            self._call.finish()
            return
        if self._call.pending > _ENOUGH:
            while self._call.pending and self._call.connected:
                await self._change()

    def _finish(self) -> None:
        self._finished = True
        self._changed()


class _Lifespan:
    """Start and end of an application, where it cares for them."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._answers: asyncio.Queue[Event] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def start(self) -> None:
        self._task = asyncio.ensure_future(self._run())
        answer = await self._ask("lifespan.startup")
        if answer["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the application did not start: {answer.get('message', '')}")

    async def stop(self) -> None:
        if self._task is None or self._task.done():
            return
        await self._ask("lifespan.shutdown")
        await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self, what: str) -> Event:
        self._events.put_nowait({"type": what})
        answer = asyncio.ensure_future(self._answers.get())
        assert self._task is not None
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return {"type": "none"}  # an application without a lifespan ends when it is asked

    async def _run(self) -> None:
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._application(scope, self._events.get, self._answers.put)
        except Exception:
            _log.debug("an application without a lifespan", exc_info=True)
