"""Programs that reach each other by public key.

``Node`` is a node on the mesh in this process; ``Client`` speaks to one that runs beside it, such as ``axld``.
"""

from ._native import Message, PrivateKey
from ._native import version as __version__
from .client import Client
from .errors import (
    AlreadyExists, Busy, Closed, CryptoError, DeliveryUnknown, Errc, Error, InternalError, InvalidArgument, IoError,
    KeyMismatch, LimitReached, Malformed, NotFound, NotSupported, PermissionDenied, Refused, TimedOut, TooLarge, Unreachable,
    WouldBlock,
)
from .messages import Lease, Leases, Messages
from .node import LogLevel, Node, NodeOptions, log_to_logging
from .service import Service
from .session import Listener, Session
from .views import KnownNode, Links, NodeEvent, Peer, Queue, Receipt, ServiceInfo, Statistics, Topology, TreeEntry

__all__ = [
    "AlreadyExists", "Busy", "Client", "Closed", "CryptoError", "DeliveryUnknown", "Errc", "Error", "InternalError",
    "InvalidArgument", "IoError", "KeyMismatch", "KnownNode", "Lease", "Leases", "LimitReached", "Links", "Listener",
    "LogLevel", "Malformed", "Message", "Messages", "Node", "NodeEvent", "NodeOptions", "NotFound", "NotSupported", "Peer",
    "PermissionDenied", "PrivateKey", "Queue", "Receipt", "Refused", "Service", "ServiceInfo", "Session", "Statistics",
    "TimedOut", "TooLarge", "Topology", "TreeEntry", "Unreachable", "WouldBlock", "__version__", "log_to_logging",
]
