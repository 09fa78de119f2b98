"""What agents tell each other: one finding for each experiment, as JSON, signed by whom it is from.

The members are those that agents of this kind have always used; `signature` is added. It is that of the sender's Ed25519 key,
which is its address on the mesh, over all other members: a finding can be passed on, and still be checked. A finding without
one counts when its sender has published it itself, which the mesh proves.
"""
import collections
import dataclasses
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MOST_BYTES = 256 << 10  # of a finding
MOST_SOURCE = 64 << 10  # characters of a train_py
MOST_ROUNDS = 100_000
SOURCES_KEPT = 4  # of each sender: its best
NEWS_KEPT = 1000  # findings that wait for the next round; then the oldest go
STATUSES = ("keep", "discard", "crash")
DOMAIN = b"axl autoresearch finding 1\n"


class Unusable(ValueError):
    """Not a finding, or not one that can be believed to be from whom it says."""


def commit_of(source):
    """Seven digits that name a source text."""
    return hashlib.sha256(source.encode()).hexdigest()[:7]


@dataclasses.dataclass(frozen=True)
class Finding:
    round: int
    val_bpb: float
    memory_gb: float
    status: str
    description: str
    commit: str
    timestamp: float
    sender_id: str
    train_py: str | None = None
    signature: str | None = None

    def to_json(self):
        members = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return json.dumps({"proto": 1, "type": "finding", **members})

    def signed_bytes(self):
        members = {name: value for name, value in dataclasses.asdict(self).items() if value is not None and name != "signature"}
        return DOMAIN + json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


class Signer:
    """Signs with the key of a node."""

    def __init__(self, key):
        self._key = load_pem_private_key(key.to_pem().encode(), None)

    def sign(self, finding):
        return dataclasses.replace(finding, signature=self._key.sign(finding.signed_bytes()).hex())


def check_signature(finding):
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(finding.sender_id))
        key.verify(bytes.fromhex(finding.signature or ""), finding.signed_bytes())
    except (InvalidSignature, ValueError) as error:
        raise Unusable("its signature is not its sender's") from error


def parse(data, sender=None):
    """A finding; Unusable when it is none.

    `sender`: the key that it came from, which the mesh vouches for. It replaces what the finding says of itself. Without one
    the finding came by way of somebody else, and must be signed.
    """
    if len(data) > MOST_BYTES:
        raise Unusable("it is too large")
    try:
        members = json.loads(bytes(data))
    except (ValueError, RecursionError) as error:
        raise Unusable("it is no JSON") from error
    if not isinstance(members, dict) or members.get("proto") != 1 or members.get("type") != "finding":
        raise Unusable("it is something else")
    if sender is not None:
        members["sender_id"] = sender
    finding = Finding(**{field.name: members.get(field.name) for field in dataclasses.fields(Finding)})
    fault = next((name for name, check in CHECKS.items() if not check(getattr(finding, name))), None)
    if fault:
        raise Unusable(f"its {fault} makes no sense")
    if sender is None or finding.signature is not None:
        check_signature(finding)
    return finding


def number(least, most):
    return lambda value: type(value) in (int, float) and least <= value <= most


def text(most):
    """Characters that can be written down: JSON also knows halves of some."""
    return lambda value: isinstance(value, str) and len(value) <= most and not any("\ud800" <= c <= "\udfff" for c in value)


def digits(count):
    return lambda value: isinstance(value, str) and len(value) == count and set(value) <= set("0123456789abcdef")


CHECKS = {
    "round": lambda value: type(value) is int and 0 <= value < MOST_ROUNDS,
    "val_bpb": number(0, 1e6),
    "memory_gb": number(0, 1e6),
    "status": lambda value: value in STATUSES,
    "description": text(1000),
    "commit": digits(7),
    "timestamp": number(0, 1e12),
    "sender_id": digits(64),
    "train_py": lambda value: value is None or text(MOST_SOURCE)(value),
    "signature": lambda value: value is None or digits(128)(value),
}


class Board:
    """The findings of those who are listened to: each (sender, round) once, and the best source texts of each.

    What one sender can make us remember is bounded, and does not depend on what others send.
    """

    def __init__(self, senders):
        senders = list(senders)
        self._rounds = {sender: set() for sender in senders}
        self._sources = {sender: [] for sender in senders}
        self._commits = set()
        self._news = collections.deque(maxlen=NEWS_KEPT)

    def add(self, finding):
        """Whether it is from one of them, and new."""
        rounds = self._rounds.get(finding.sender_id)
        if rounds is None or finding.round in rounds:
            return False
        rounds.add(finding.round)
        self._commits.add(finding.commit)
        self._news.append(finding)
        if finding.status == "keep" and finding.train_py is not None:
            kept = self._sources[finding.sender_id]
            kept.append(finding)
            kept.sort(key=lambda one: one.val_bpb)
            del kept[SOURCES_KEPT:]
        return True

    def news(self):
        """What has been added since the last call, in an order that does not depend on who was faster."""
        news = sorted(self._news, key=lambda one: (one.round, one.sender_id))
        self._news.clear()
        return news

    def has(self, sender, round):
        return round in self._rounds.get(sender, ())

    def was_tried(self, commit):
        return commit in self._commits

    def best(self):
        """Those with a source text, the best first; in an order that is the same for everybody."""
        return sorted((one for kept in self._sources.values() for one in kept), key=lambda one: (one.val_bpb, one.sender_id))
