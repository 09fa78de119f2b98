"""One node on the mesh, for asyncio."""

from __future__ import annotations

import asyncio
import atexit
import enum
import glob
import logging
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypedDict

from . import views
from ._native import NativeNode, NodeConfig, PrivateKey
from ._waiting import Waiting
from .aggregation import Contribution, Contributions, Contributor, Operation, Outcome, OutcomeHook, _outcome
from .errors import Closed, NotSupported
from .messages import Leases, Messages
from .pubsub import PubSub, PubSubOptions, Subscription, Validator
from .service import Service, mcp_application
from .session import Listener, Session

if TYPE_CHECKING:
    import re
    import sys
    from typing import Protocol

    if sys.version_info >= (3, 12):
        from collections.abc import Buffer
        from typing import Unpack
    else:
        from typing_extensions import Buffer, Unpack

    class _Array(Protocol):
        """NumPy says that it is a buffer only to newer checkers."""

        @property
        def __array_interface__(self) -> dict[str, Any]: ...

    from .aggregation import Values

    Data = Buffer | _Array | str

_DONE, _FAILED, _CHANGED, _ARRIVED, _LOG, _EVENT = range(6)


class LogLevel(enum.IntEnum):
    """How much a node says."""

    debug = 0
    info = 1
    warning = 2
    error = 3
    off = 4


class BulkThread(enum.IntEnum):
    """Whether TLS of large flows runs on a thread of its own beside the node's."""

    automatic = 0  #: as long as the node's thread is busy and a core has time to spare
    never = 1
    always = 2


LogHook = Callable[[LogLevel, str, str], None]
EventHook = Callable[[views.NodeEvent], None]

_LEVELS = {LogLevel.debug: logging.DEBUG, LogLevel.info: logging.INFO, LogLevel.warning: logging.WARNING,
           LogLevel.error: logging.ERROR}


def log_to_logging(level: LogLevel, area: str, text: str) -> None:
    """The hook of a node that is given none: loggers ``axl.link``, ``axl.overlay`` and so on."""
    logging.getLogger(f"axl.{area}").log(_LEVELS[level], "%s", text)


class NodeOptions(TypedDict, total=False):
    """Everything a node is started with, as ``axl::NodeConfig`` documents it. Times are seconds, keys 64 hex digits."""

    identity: PrivateKey | None
    peers: Sequence[str]
    listen: Sequence[str]
    allowed_public_keys: Sequence[str]
    allow_peers: Sequence[str]
    deny: Sequence[str]
    node_info: str
    node_info_privacy: bool
    tcp_port: int
    http_port: int
    accept_messages: bool
    mtu: int
    max_links: int
    max_handshakes: int
    max_handshakes_per_address: int
    max_message_size: int
    max_concurrent_conns: int
    conn_read_timeout: float
    conn_idle_timeout: float
    dial_timeout: float
    send_timeout: float
    recv_queue_messages: int
    recv_queue_bytes: int
    outbox_messages: int
    outbox_bytes: int
    api_allowed_hosts: Sequence[str]
    api_allowed_origins: Sequence[str]
    api_token: str
    legacy_peer_id: bool
    deny_services: bool
    allow_remote_endpoints: bool
    service_timeout: float
    router_addr: str
    router_port: int
    a2a_addr: str
    a2a_port: int
    a2a_skills: bool
    a2a_allow: Sequence[str] | None
    a2a_stream_downgrade: bool
    log_level: LogLevel
    bulk_thread: BulkThread


_running: weakref.WeakSet[NativeNode] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    for native in list(_running):
        native.close()


class Node:
    """``async with axl.Node(listen=["tls://[::]:9001"]) as node: ...``

    The options are those of ``NodeOptions``. A node binds its listeners when it is made, dials and serves between
    ``start()`` and ``close()``, and belongs to the event loop that it was started on; its work is done by a thread of its own. Any
    number of nodes may run in one process.

    ``pubsub``: options of ``publish`` and ``subscribe``. ``aggregation=False``: the node takes no part in aggregations,
    so that it, with all below it in the tree, is missing in everybody's.
    """

    def __init__(self, *, log: LogHook | None = log_to_logging, on_event: EventHook | None = None,
                 pubsub: PubSubOptions | None = None, aggregation: bool = True, **options: Unpack[NodeOptions]) -> None:
        config = NodeConfig()
        for name, value in options.items():
            if name not in NodeOptions.__annotations__:
                raise TypeError(f"a node has no option {name!r}")
            if isinstance(value, (tuple, set, frozenset)):
                value = list(value)
            setattr(config, name, int(value) if isinstance(value, enum.IntEnum) else value)
        #: Called on the event loop with each line; None: nobody is told. May be changed at any time.
        self.log: LogHook | None = log
        #: Called on the event loop when a link comes up or ends, and when a session opens.
        self.on_event: EventHook | None = on_event
        self._native = NativeNode(config, True)
        settings: PubSubOptions = {"peers": [], "find_peers": True, "signatures": True, "max_body": 1_048_576, "port": 7003,
                                   "legacy": False}
        for name in pubsub or {}:
            if name not in settings:
                raise TypeError(f"pub/sub has no option {name!r}")
        settings.update(pubsub or {})
        self._native.set_pubsub(list(settings["peers"]), settings["find_peers"], settings["signatures"],
                                settings["max_body"], settings["port"], settings["legacy"])
        #: The node's public key, 64 hexadecimal digits: what peers send to.
        self.key = self._native.key
        #: Its overlay address.
        self.address = self._native.address
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._targets: weakref.WeakValueDictionary[int, Waiting | Contributions] = weakref.WeakValueDictionary()
        self._contributions = Contributions() if aggregation else None
        self._services: set[Service] = set()
        self._started = False
        #: The node has been closed, or is about to be.
        self.closed = False

    def __repr__(self) -> str:
        return f"<axl.Node {self.key[:16]}{' (closed)' if self.closed else ''}>"

    # --- Life

    async def start(self) -> None:
        """Starts dialling and serving, on the running event loop."""
        if self.closed:
            raise Closed("the node has been closed")
        if self._started:
            return
        self._loop = asyncio.get_running_loop()
        self._native.start()
        if self._contributions is not None:
            self._contributions.on_change = self._native.contributes
            id = self._native.new_id()
            self._targets[id] = self._contributions
            self._native.attach(id)
        self._loop.add_reader(self._native.descriptor, _hear, weakref.ref(self))
        self._started = True
        _running.add(self._native)

    async def close(self) -> None:
        """Ends every connection. What still waits for something of this node gets Closed."""
        if self.closed:
            return
        self.closed = True
        for service in list(self._services):
            await service._end()
        if self._contributions is not None:
            self._contributions.cancel()
        if not self._started:
            self._native.close()
            return
        stopped = self._loop.run_in_executor(None, self._native.stop)
        try:
            await asyncio.shield(stopped)
        except asyncio.CancelledError:
            self._native.stop()
            raise
        finally:
            self._loop.remove_reader(self._native.descriptor)
            self._hear()
            self._native.close()
            _running.discard(self._native)
            waiting, self._waiting = self._waiting, {}
            for future in waiting.values():
                if not future.done():
                    future.set_exception(Closed("the node has been closed"))
            for target in list(self._targets.values()):
                target._changed()

    def __del__(self) -> None:
        if not getattr(self, "_started", False) or self.closed:
            return
        warnings.warn(f"{self!r} was dropped and not closed", ResourceWarning, source=self, stacklevel=2)
        if not self._loop.is_closed():
            self._loop.remove_reader(self._native.descriptor)
        self._native.close()

    async def __aenter__(self) -> Node:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def drain(self, grace: float = 5.0) -> None:
        """Takes no new connection, request or message and waits, at most ``grace`` seconds, until those under way have
        ended."""
        await asyncio.get_running_loop().run_in_executor(None, self._native.drain, grace)

    # --- Messages

    async def send(self, peer: str, data: Data, *, topic: str = "", id: str = "", receipt: bool = True,
                   retry_for: float = 0.0) -> views.Receipt:
        """Sends a message to a peer's receive queue, and returns when it is there.

        ``data`` is text, or anything with the buffer protocol; large buffers are not copied: leave them unchanged until this
        returns. Messages of one topic keep the order of calls. ``id`` names the message, so that it can be sent again
        safely. ``receipt=False``: do not wait for one. ``retry_for``: while the peer is away, keep trying for so long.

        Raises TooLarge, Busy (not queued), TimedOut or DeliveryUnknown (send again with the same id: it is queued once),
        Unreachable, KeyMismatch, Refused.
        """
        if isinstance(data, str):
            data = data.encode()
        delivery, name = await self._operation(self._native.send(peer, data, id, topic, receipt, retry_for))
        return views.Receipt(name, delivery)

    def messages(self, topic: str = "", *, sender: str | None = None) -> Messages:
        """The messages of the receive queue with this topic (none: those without one), of anybody or of one sender.

        A message leaves the queue when it is handed out. Programs that must not lose it when they fail use ``leases``.
        """
        return Messages(self, topic, sender)

    def leases(self, topic: str = "", *, sender: str | None = None, seconds: float = 30.0) -> Leases:
        """The same messages, each until it is confirmed: what is not confirmed within ``seconds`` comes again."""
        return Leases(self, topic, sender, seconds)

    async def receive(self, topic: str = "", *, sender: str | None = None) -> Any:
        """One message."""
        async with self.messages(topic, sender=sender) as reading:
            return await reading.__anext__()

    # --- Sessions

    async def connect(self, peer: str, port: int) -> Session:
        """Opens a session with exactly this key: Refused, TimedOut, KeyMismatch or Unreachable otherwise."""
        return Session(self, await self._operation(self._native.connect(peer, port)))

    def listen(self, port: int) -> Listener:
        """Takes sessions on an overlay TCP port; AlreadyExists when it is taken (7000 and 7001 are the node's own)."""
        self._check_started()
        return Listener(self, self._native.listen(port))

    # --- Publish and subscribe

    async def publish(self, topic: str, data: Data) -> None:
        """Sends a copy of ``data``, at most 1 MiB, to whoever subscribes to the topic, and returns when the node has it.
        There is no receipt. It is kept for some seconds for who comes late."""
        await self._operation(self._native.publish(topic, data.encode() if isinstance(data, str) else data))

    def subscribe(self, topic: str, validator: Validator | None = None, *, max_waiting: int = 1024) -> Subscription:
        """What others publish in this topic, from now on; our own messages do not come back.

        ``validator``, a function or coroutine function of the message, says ``"accept"``, ``"reject"`` or ``"ignore"``
        before a message is delivered and handed on; it has some seconds. So many messages, and 64 MiB, wait for the
        program; of more, the oldest go.
        """
        self._check_started()
        return Subscription(self, topic, validator, max_waiting)

    @property
    def pubsub(self) -> PubSub:
        """Its topics, mesh, peers and statistics."""
        self._check_started()
        return PubSub(self)

    # --- Aggregation

    async def aggregate(self, name: str, operation: Operation = "sum", *, value: Values = None, values: Values = None,
                        limit: int = 10, timeout: float = 10.0, tell_all: bool = False) -> Outcome:
        """Asks every node of the mesh, this one too, for what it contributes under this name.

        ``value`` or ``values``, by group, is what this node contributes while it waits; without it, what ``contribute``
        says. ``limit`` is of ``top``. Nodes that have not been heard of after ``timeout`` (0.1 to 60 seconds) are missing
        in the outcome. ``tell_all``: the outcome goes to ``on_told`` of every node that took part.

        Raises Busy, LimitReached (64 at once), and TimedOut when the root of the tree does not answer.
        """
        own = value if values is None else values
        asked = None if own is None or self._contributions is None else self._contributions.add(glob.escape(name), own)
        try:
            id = self._native.ask(name, operation, limit if operation == "top" else 0, timeout, tell_all)
            return _outcome(await self._operation(id))
        finally:
            if asked is not None:
                asked.close()

    def contribute(self, name: str | re.Pattern[str], value: Values | Contributor) -> Contribution:
        """What this node says when it is asked for a name, or one that matches a pattern: ``"load.*"`` or a compiled one.

        ``value`` is a number, a mapping of groups to numbers, or a function or coroutine function of the question that
        returns one of them, or None to abstain. Of several that match the newest is asked. Ends with the ``close()`` of
        what this returns.
        """
        self._check_started()
        if self._contributions is None:
            raise NotSupported("this node was made to take no part in aggregations")
        return self._contributions.add(name, value)

    @property
    def on_told(self) -> OutcomeHook | None:
        """Called on the event loop with each outcome that is told to all."""
        return None if self._contributions is None else self._contributions.on_told

    @on_told.setter
    def on_told(self, hook: OutcomeHook | None) -> None:
        if self._contributions is not None:
            self._contributions.on_told = hook

    # --- The mesh

    async def ping(self, peer: str, timeout: float = 10.0) -> float:
        """Seconds of a round trip to a key through the mesh: Unreachable (nobody there), TimedOut, KeyMismatch."""
        seconds: float = await self._operation(self._native.ping(peer, timeout))
        return seconds

    async def add_peer(self, uri: str, *, interface: str = "") -> None:
        """A peer to dial, and to dial again whenever its link ends."""
        await self._operation(self._native.add_peer(uri, interface))

    async def remove_peer(self, uri: str, *, interface: str = "") -> None:
        """Ends redialling and the link; NotFound when there is no such peer."""
        await self._operation(self._native.remove_peer(uri, interface))

    async def add_listener(self, uri: str) -> str:
        """One more listener for links; returns the URI that is really bound (port 0 means any)."""
        bound: str = await self._operation(self._native.add_listener(uri))
        return bound

    @property
    def listeners(self) -> list[str]:
        """The URIs that are bound."""
        return self._native.listeners()

    async def topology(self) -> views.Topology:
        """A snapshot of what the node knows of its neighbourhood."""
        return views._topology(await self._operation(self._native.topology()))

    async def known_nodes(self, limit: int = 1000, after: str | None = None) -> list[views.KnownNode]:
        """Whom the node has a link, a path or a session with, sorted by key."""
        return [views._known_node(one) for one in await self._operation(self._native.known_nodes(limit, after))]

    async def known_node(self, peer: str) -> views.KnownNode:
        """The same of one key; NotFound."""
        return views._known_node(await self._operation(self._native.known_node(peer)))

    async def statistics(self) -> views.Statistics:
        """What the node counts."""
        return views._statistics(await self._operation(self._native.statistics()))

    # --- Services

    async def serve_mcp(self, name: str, server: Any, *, allow: Iterable[str] | None = None) -> Service:
        """Makes an MCP server of the official SDK (FastMCP, MCPServer) a service that peers reach under this name.

        It runs in this process, without a port: peers' requests come straight from the mesh. ``allow`` lists the keys that
        may use it; None: everyone. A tool finds its caller's key in the request's header ``X-From-Peer-Id``.
        """
        application, path = mcp_application(server)
        return await self.serve_asgi(name, application, path=path, allow=allow)

    async def serve_asgi(self, name: str, application: Any, *, path: str = "", allow: Iterable[str] | None = None) -> Service:
        """The same for any ASGI application. ``path`` is where in it the service begins."""
        self._check_started()
        service = Service(self, self._native.new_id(), name, application, path)
        await service._begin(None if allow is None else list(allow))
        return service

    async def serve_url(self, name: str, url: str, *, allow: Iterable[str] | None = None, health_path: str | None = None,
                        health_interval: float = 30.0) -> None:
        """An HTTP server: ``http://127.0.0.1:8000/mcp``, https, or ``http+unix://%2Fpath/mcp``."""
        keys = None if allow is None else list(allow)
        await self._operation(self._native.add_url(name, url, keys, health_path, health_interval))

    async def serve_command(self, name: str, command: Sequence[str], *, allow: Iterable[str] | None = None,
                            environment: Mapping[str, str] | None = None, directory: str = "", max_processes: int = 16,
                            max_processes_per_caller: int = 0, idle: float = 1800.0) -> None:
        """A program that speaks MCP over its standard input and output; one process for each caller's session."""
        keys = None if allow is None else list(allow)
        variables = list((environment or {}).items())
        await self._operation(self._native.add_command(name, list(command), keys, variables, directory, max_processes,
                                                       max_processes_per_caller, idle))

    async def remove_service(self, name: str) -> bool:
        """Requests under way go on to their end. False: there is none of that name."""
        done: bool = await self._operation(self._native.remove_service(name))
        return done

    async def services(self) -> list[views.ServiceInfo]:
        """In the order of names."""
        return [views._service(one) for one in await self._operation(self._native.services())]

    async def serve_api(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Serves the local HTTP API, as ``axld`` does; returns the port that is bound. Or ``unix:/path``. ``/aggregate`` is
        not there when the node takes no part in aggregations."""
        bound: int = await self._operation(self._native.serve_api(host, port))
        return bound

    async def serve_router(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Serves the router's HTTP API, where programs of this machine register services."""
        bound: int = await self._operation(self._native.serve_router(host, port))
        return bound

    # --- What the native module tells

    def _check_started(self) -> None:
        if not self._started or self.closed:
            raise Closed("the node has been closed" if self.closed else "the node has not been started")

    def _operation(self, id: int) -> asyncio.Future[Any]:
        self._check_started()
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[id] = future
        return future

    def _hear(self) -> None:
        waiting, targets = self._waiting, self._targets
        for kind, id, value in self._native.take():
            if kind <= _FAILED:
                future = waiting.pop(id, None)
                if future is None or future.done():
                    continue
                if kind == _DONE:
                    future.set_result(value)
                else:
                    future.set_exception(value)
            elif kind == _LOG:
                self._tell(self.log, LogLevel(value[0]), value[1], value[2])
            elif kind == _EVENT:
                self._tell(self.on_event, views._event(value))
            else:
                target = targets.get(id)
                if target is None:
                    continue
                if kind == _CHANGED:
                    target._changed()
                else:
                    target._arrived(value)

    def _tell(self, hook: Callable[..., None] | None, *arguments: Any) -> None:
        """A hook that fails stops nothing."""
        if hook is None:
            return
        try:
            hook(*arguments)
        except Exception as error:
            self._loop.call_exception_handler({"message": "a hook of an axl.Node failed", "exception": error})


def _hear(reference: weakref.ref[Node]) -> None:
    """The event loop does not keep a node alive that its program has dropped."""
    node = reference()
    if node is not None:
        node._hear()
