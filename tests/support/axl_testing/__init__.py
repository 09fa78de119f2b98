"""Black-box harness: real axld and yggdrasil processes, seen only through their sockets, logs and exit codes.

Python standard library only. Everything runs on loopback or in network namespaces that the test makes for itself;
whatever a test starts it stops, by process.
"""

from .api import Api
from .axld import Axld
from .frames import frame, read_frame, read_to_end
from .keys import Key, make_key, make_keys, partial_id
from .links import RawLink, field, link_frame, meta, uvarint
from .network import HOST, Namespace, have_namespaces
from .process import Process
from .runner import TestCase, main, options
from .wait import until
from .yggdrasil import Yggdrasil

__all__ = ["Api", "Axld", "HOST", "Key", "Namespace", "Process", "RawLink", "TestCase", "Yggdrasil", "field", "frame",
           "have_namespaces", "link_frame", "main", "make_key", "make_keys", "meta", "options", "partial_id", "read_frame",
           "read_to_end", "until", "uvarint"]
