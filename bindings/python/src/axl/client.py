"""A node that runs beside this program, through its local HTTP API. Pure Python: works without the native module's node.

Same names and results as ``Node`` where both can do it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from . import client_aggregation, errors, views
from ._http import Answer, Http
from ._websocket import WebSocket, WebSocketClosed, WebSocketRefused
from .client_aggregation import ClientContribution
from .client_pubsub import ClientPubSub, ClientSubscription, _target

if TYPE_CHECKING:
    from .aggregation import Operation, Outcome, Values
    from .node import Data

_FAILURES: dict[int, type[errors.Error]] = {
    400: errors.InvalidArgument, 401: errors.PermissionDenied, 403: errors.Refused, 404: errors.NotFound,
    409: errors.AlreadyExists, 413: errors.TooLarge, 429: errors.Busy, 502: errors.Unreachable, 503: errors.Busy,
    504: errors.DeliveryUnknown,
}
_DELIVERIES: dict[str, Any] = {"1": "queued", "unknown": "accepted"}


class ReceivedMessage:
    """A message that the node had in its queue. ``body`` is a view, as that of ``axl.Message``."""

    __slots__ = ("body", "id", "sender", "topic")

    def __init__(self, sender: str, id: str, topic: str, body: memoryview) -> None:
        self.sender = sender
        self.id = id
        self.topic = topic
        self.body = body

    def __len__(self) -> int:
        return len(self.body)

    def __repr__(self) -> str:
        return f"<axl message {self.id} of {len(self.body)} bytes from {self.sender[:16]}>"


def _unpack(data: bytes) -> ReceivedMessage:
    """One message of ``/ws``: key, id, topic, body."""
    id_end = 33 + data[32]
    topic_end = id_end + 1 + data[id_end]
    return ReceivedMessage(data[:32].hex(), data[33:id_end].decode("ascii"), data[id_end + 1:topic_end].decode("ascii"),
                           memoryview(data)[topic_end:])


class Client:
    """``async with axl.Client() as node: ...``

    ``address`` is ``http://127.0.0.1:9002`` or another, or ``unix:/path``; ``token`` what the node's ``api_token`` says.
    """

    def __init__(self, address: str = "http://127.0.0.1:9002", *, token: str | None = None) -> None:
        self._http = Http(address, {"X-Axl-Token": token} if token else {})

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes idle connections."""
        await self._http.close()

    # --- Messages

    async def send(self, peer: str, data: Data, *, topic: str = "", id: str = "", receipt: bool = True,
                   retry_for: float = 0.0) -> views.Receipt:
        """As ``Node.send``. With ``retry_for`` the node keeps the message while the peer is away, and this returns at once."""
        name = id or secrets.token_hex(16)
        headers = {"X-Destination-Peer-Id": peer, "X-Axl-Message-Id": name, "Content-Type": "application/octet-stream"}
        if topic:
            headers["X-Axl-Topic"] = topic
        if not receipt:
            headers["X-Axl-Receipt"] = "none"
        if retry_for:
            headers["X-Axl-Retry-For"] = str(max(1, round(retry_for)))
        body = data.encode() if isinstance(data, str) else data
        answer = await self._ask("POST", "/send", headers=headers, body=body)
        delivered = answer.headers.get("x-axl-delivered", "")
        delivery: Any = _DELIVERIES.get(delivered, "accepted") if receipt else "handed_over"
        if answer.status == 202:
            delivery = "kept"
        return views.Receipt(answer.headers.get("x-axl-message-id", name), delivery)

    async def receive(self, topic: str = "", *, sender: str | None = None, wait: float = 0.0) -> ReceivedMessage | None:
        """The oldest message, or None when there is none within ``wait`` seconds, at most 60."""
        wanted = _selection(topic, sender, {"wait": str(round(wait))} if wait else {})
        answer = await self._ask("GET", f"/recv{wanted}", again=False)
        if answer.status == 204:
            return None
        headers = answer.headers
        return ReceivedMessage(headers["x-from-peer-id"], headers.get("x-axl-message-id", ""), headers.get("x-axl-topic", ""),
                               memoryview(answer.body))

    def messages(self, topic: str = "", *, sender: str | None = None) -> ClientMessages:
        """As ``Node.messages``, over a WebSocket: what was not handed out is in the node's queue again at the end."""
        return ClientMessages(self._http, _selection(topic, sender, {"ack": "1"}))

    def leases(self, topic: str = "", *, sender: str | None = None, seconds: float = 30.0) -> ClientLeases:
        """As ``Node.leases``; what is not confirmed when this ends is in the node's queue again."""
        return ClientLeases(self._http, _selection(topic, sender, {"ack": "1", "lease": str(max(1, round(seconds)))}))

    # --- Publish and subscribe

    async def publish(self, topic: str, data: Data) -> None:
        """As ``Node.publish``."""
        await self._ask("POST", _target(topic), body=data.encode() if isinstance(data, str) else data, again=False)

    def subscribe(self, topic: str) -> ClientSubscription:
        """As ``Node.subscribe``, without a validator. What programs of this node publish comes too, one's own included."""
        return ClientSubscription(self, topic)

    @property
    def pubsub(self) -> ClientPubSub:
        """Its topics, mesh, peers and statistics."""
        return ClientPubSub(self)

    # --- Aggregation

    async def aggregate(self, name: str, operation: Operation = "sum", *, value: Values = None, values: Values = None,
                        limit: int = 10, timeout: float = 10.0, tell_all: bool = False) -> Outcome:
        """As ``Node.aggregate``."""
        own = value if values is None else values
        return await client_aggregation.ask(self, name, operation, own, limit, timeout, tell_all)

    async def contribute(self, name: str, value: Values, *, ttl: float | None = None) -> ClientContribution:
        """What the node says when it is asked for this name, in place of what any program has left there: a number, or a
        mapping of groups to numbers. For ``ttl`` seconds (1 to 86400), or until ``aclose()`` of what this returns."""
        return await client_aggregation.contribute(self, name, value, ttl)

    # --- The mesh

    async def key(self) -> str:
        """The node's public key."""
        return (await self.topology()).public_key

    async def topology(self) -> views.Topology:
        return views._topology(await self._json("GET", "/topology"))

    async def known_nodes(self, limit: int = 1000, after: str | None = None) -> list[views.KnownNode]:
        query = urlencode({"limit": limit, **({"after": after} if after else {})})
        listed = await self._json("GET", f"/peers?{query}")
        return [views._known_node(one) for one in (listed["peers"] if isinstance(listed, dict) else listed)]

    async def known_node(self, peer: str) -> views.KnownNode:
        return views._known_node(await self._json("GET", f"/peers/{quote(peer, safe='')}"))

    async def ping(self, peer: str) -> float:
        """Seconds of a round trip."""
        answer = await self._ask("POST", f"/peers/{quote(peer, safe='')}/ping", failures={504: errors.TimedOut})
        milliseconds: float = json.loads(answer.body)["latency_ms"]
        return milliseconds / 1e3

    async def add_peer(self, uri: str) -> None:
        await self._ask("POST", "/peers", body=json.dumps({"uri": uri}).encode())

    async def remove_peer(self, uri: str) -> None:
        await self._ask("DELETE", f"/peers?{urlencode({'uri': uri})}")

    async def health(self) -> Mapping[str, Any]:
        """Status, version, uptime and the number of links."""
        found: Mapping[str, Any] = await self._json("GET", "/health")
        return found

    async def metrics(self) -> str:
        """Everything that the node counts, in Prometheus' text format."""
        return (await self._ask("GET", "/metrics")).body.decode()

    async def _json(self, method: str, target: str) -> Any:
        return json.loads((await self._ask(method, target)).body)

    async def _ask(self, method: str, target: str, headers: Mapping[str, str] | None = None, body: object = b"",
                   again: bool = True, failures: Mapping[int, type[errors.Error]] | None = None) -> Answer:
        answer = await self._http.request(method, target, headers, body, again)
        if answer.status >= 400:
            raise self._failure(answer.status, answer.text, failures)
        return answer

    def _failure(self, status: int, text: str, failures: Mapping[int, type[errors.Error]] | None = None) -> errors.Error:
        """``failures``: of requests that mean something else by a status."""
        return {**_FAILURES, **(failures or {})}.get(status, errors.Error)(text)


_closing: set[asyncio.Task[None]] = set()  # of iterators that were dropped: an event loop keeps no task alive


class _ClientReading:
    def __init__(self, http: Http, query: str) -> None:
        self._http = http
        self._target = f"/ws{query}"
        self._socket: WebSocket | None = None
        self._open = True

    async def _next(self) -> ReceivedMessage:
        if self._socket is None:
            try:
                self._socket = await WebSocket.open(self._http, self._target)
            except WebSocketRefused as refused:
                raise _FAILURES.get(refused.status, errors.Error)(str(refused)) from None
        while True:
            try:
                data = await self._socket.receive()
            except WebSocketClosed as closed:
                raise errors.Closed(str(closed)) from None
            if isinstance(data, bytes):
                return _unpack(data)

    async def _say(self, what: str, message: ReceivedMessage) -> None:
        if self._socket is not None:
            await self._socket.send(json.dumps({what: message.id, "from": message.sender}))

    async def aclose(self) -> None:
        """What was not handed out, or not confirmed, is in the node's queue again."""
        self._open = False
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    def __del__(self) -> None:
        socket: WebSocket | None = getattr(self, "_socket", None)
        if socket is None:
            return
        try:
            closing = asyncio.get_running_loop().create_task(socket.close())
            _closing.add(closing)
            closing.add_done_callback(_closing.discard)
        except RuntimeError:
            pass  # its event loop has ended before

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class ClientMessages(_ClientReading):
    """Each message is confirmed when it is handed out."""

    def __aiter__(self) -> ClientMessages:
        return self

    async def __aenter__(self) -> ClientMessages:
        return self

    async def __anext__(self) -> ReceivedMessage:
        if not self._open:
            raise StopAsyncIteration
        message = await self._next()
        await self._say("ack", message)
        return message


class ClientLease:
    """``async with lease as message`` confirms at the end of the block; when that raises, the message comes again."""

    __slots__ = ("_reading", "message")

    def __init__(self, reading: ClientLeases, message: ReceivedMessage) -> None:
        self._reading = reading
        self.message = message

    async def confirm(self) -> None:
        """The message has been dealt with, and is gone."""
        await self._reading._say("ack", self.message)

    async def __aenter__(self) -> ReceivedMessage:
        return self.message

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.confirm()


class ClientLeases(_ClientReading):
    """Leased messages; those that are not confirmed come again when their time is over, or when this ends."""

    def __aiter__(self) -> ClientLeases:
        return self

    async def __aenter__(self) -> ClientLeases:
        return self

    async def __anext__(self) -> ClientLease:
        if not self._open:
            raise StopAsyncIteration
        return ClientLease(self, await self._next())


def _selection(topic: str, sender: str | None, more: Mapping[str, str]) -> str:
    query = {**({"topic": topic} if topic else {}), **({"from": sender} if sender else {}), **more}
    return f"?{urlencode(query)}" if query else ""
