"""Programs that reach each other by public key.

``Node`` is a node on the mesh in this process; ``Client`` speaks to one that runs beside it, such as ``axld``.
"""

from ._native import Message, PrivateKey, Published
from ._native import version as __version__
from .aggregation import Aggregate, Contribution, Outcome, Question, Ranked
from .client import Client
from .errors import (
    AlreadyExists, Busy, Closed, CryptoError, DeliveryUnknown, Errc, Error, InternalError, InvalidArgument, IoError,
    KeyMismatch, LimitReached, Malformed, NotFound, NotSupported, PermissionDenied, Refused, TimedOut, TooLarge, Unreachable,
    WouldBlock,
)
from .messages import Lease, Leases, Messages
from .node import BulkThread, LogLevel, Node, NodeOptions, log_to_logging
from .pubsub import PubSub, PubSubOptions, PubSubStatistics, Subscription, TopicView
from .service import Service
from .session import Listener, Session
from .views import KnownNode, Links, NodeEvent, Peer, Queue, Receipt, ServiceInfo, Statistics, Topology, TreeEntry

__all__ = [
    "Aggregate", "AlreadyExists", "BulkThread", "Busy", "Client", "Closed", "Contribution", "CryptoError",
    "DeliveryUnknown", "Errc", "Error", "InternalError", "InvalidArgument", "IoError", "KeyMismatch", "KnownNode", "Lease", "Leases", "LimitReached",
    "Links", "Listener", "LogLevel", "Malformed", "Message", "Messages", "Node", "NodeEvent", "NodeOptions", "NotFound",
    "NotSupported", "Outcome", "Peer", "PermissionDenied", "PrivateKey", "PubSub", "PubSubOptions", "PubSubStatistics",
    "Published", "Question", "Queue", "Ranked", "Receipt", "Refused", "Service", "ServiceInfo", "Session", "Statistics",
    "Subscription", "TimedOut", "TooLarge", "TopicView", "Topology", "TreeEntry", "Unreachable", "WouldBlock",
    "__version__", "log_to_logging",
]
