"""What a node tells of itself. Made from what the native module or the local HTTP API says, by the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Receipt:
    """What became of a message that was sent.

    ``queued``: the receiver has it in its queue. ``accepted``: its TCP has all of it; an old peer tells no more.
    ``handed_over``: on its way, nothing asked. ``kept``: in the outbox of the node (``Client.send`` with ``retry_for``).
    """

    id: str
    delivery: Literal["queued", "accepted", "handed_over", "kept"]


@dataclass(frozen=True)
class Peer:
    """One configured peer, up or not, or one incoming link. ``public_key`` is empty while there is no link."""

    uri: str
    up: bool
    inbound: bool
    public_key: str
    root: str
    port: int
    coords: tuple[int, ...]
    priority: int
    cost: int
    latency_ms: float | None
    rx_bytes: int
    tx_bytes: int
    uptime_s: float
    last_error: str


@dataclass(frozen=True)
class TreeEntry:
    """One announcement that the node holds."""

    public_key: str
    parent: str
    sequence: int


@dataclass(frozen=True)
class Topology:
    """A snapshot of what a node knows of its neighbourhood."""

    public_key: str
    address: str
    coords: tuple[int, ...]
    peers: tuple[Peer, ...]
    tree: tuple[TreeEntry, ...]
    sessions: int

    @property
    def root(self) -> str:
        """The key that the tree, as this node sees it, hangs from."""
        parents = {entry.public_key: entry.parent for entry in self.tree}
        key = self.public_key
        for _ in parents:
            parent = parents.get(key, key)
            if parent == key:
                break
            key = parent
        return key


@dataclass(frozen=True)
class KnownNode:
    """A node that this one has a link, a path or a session with."""

    public_key: str
    address: str
    link: bool
    path: bool
    coords: tuple[int, ...] | None
    latency_ms: float | None
    old: bool
    session: Mapping[str, float] | None


@dataclass(frozen=True)
class ServiceInfo:
    """A service that peers reach here by its name."""

    name: str
    kind: Literal["url", "command", "handler"]
    endpoint: str
    registered_at: str
    healthy: bool
    requests: int
    failures: int
    in_flight: int


@dataclass(frozen=True)
class Queue:
    """The receive queue. ``leased``: of the messages, those that were read and not confirmed yet."""

    messages: int
    bytes: int
    leased: int
    accepted: int
    refused_full: int
    refused_share: int
    duplicates: int


@dataclass(frozen=True)
class Links:
    """Links of one direction."""

    up: int
    established: int
    rx_bytes: int
    tx_bytes: int
    dropped_packets: int


@dataclass(frozen=True)
class Statistics:
    """What a node counts, from its making on. ``prometheus`` is all of it in the text format of Prometheus."""

    uptime_s: float
    configured_peers: int
    inbound: Links
    outbound: Links
    refused_links: int
    tree_nodes: int
    paths: int
    lookups: int
    sessions: int
    session_rx_packets: int
    session_rx_bytes: int
    session_tx_packets: int
    session_tx_bytes: int
    expired_packets: int
    filtered_packets: int
    tcp_connections: int
    queue: Queue
    topics: Mapping[str, int]
    messages_sending: int
    outbox_messages: int
    outbox_bytes: int
    services: tuple[ServiceInfo, ...]
    prometheus: str


@dataclass(frozen=True)
class NodeEvent:
    """Something happened: a link has come up or ended (``text`` says why), a session with ``key`` is open."""

    kind: Literal["peer_up", "peer_down", "session_up"]
    key: str
    uri: str
    text: str


def _chosen(kind: type[Any], values: Mapping[str, Any], **replaced: Any) -> Any:
    fields: dict[str, Any] = {name: values[name] for name in kind.__dataclass_fields__ if name in values}
    return kind(**{**fields, **replaced})


def _topology(values: Mapping[str, Any]) -> Topology:
    return Topology(
        public_key=values["our_public_key"],
        address=values["our_ipv6"],
        coords=tuple(values["our_coords"]),
        peers=tuple(_chosen(Peer, peer, coords=tuple(peer["coords"])) for peer in values["peers"]),
        tree=tuple(_chosen(TreeEntry, entry) for entry in values["tree"]),
        sessions=values["sessions"],
    )


def _known_node(values: Mapping[str, Any]) -> KnownNode:
    coords = values["coords"]
    known: KnownNode = _chosen(KnownNode, values, coords=None if coords is None else tuple(coords))
    return known


def _service(values: Mapping[str, Any]) -> ServiceInfo:
    info: ServiceInfo = _chosen(ServiceInfo, values)
    return info


def _statistics(values: Mapping[str, Any]) -> Statistics:
    statistics: Statistics = _chosen(
        Statistics, values,
        inbound=_chosen(Links, values["inbound"]), outbound=_chosen(Links, values["outbound"]),
        queue=_chosen(Queue, values["queue"]), services=tuple(map(_service, values["services"])),
    )
    return statistics


def _event(values: Mapping[str, Any]) -> NodeEvent:
    event: NodeEvent = _chosen(NodeEvent, values)
    return event
