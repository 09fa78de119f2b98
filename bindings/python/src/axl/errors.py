"""What can go wrong: one exception class for each error code of the library, and the built-in one that it is a kind of."""

from __future__ import annotations

import enum


class Errc(enum.IntEnum):
    """The library's error codes."""

    invalid_argument = 1
    malformed = 2
    too_large = 3
    closed = 4
    refused = 5
    timed_out = 6
    would_block = 7
    not_supported = 8
    already_exists = 9
    not_found = 10
    limit_reached = 11
    permission_denied = 12
    key_mismatch = 13
    unreachable = 14
    io = 15
    crypto = 16
    busy = 17
    delivery_unknown = 18
    internal = 19


class Error(Exception):
    """Base of all; ``code`` says which, the text what was being done."""

    code: Errc = Errc.internal


class InvalidArgument(Error, ValueError):
    """The caller's input makes no sense."""

    code = Errc.invalid_argument


class Malformed(Error):
    """Bytes from elsewhere that no rule of the protocol allows."""

    code = Errc.malformed


class TooLarge(Error, ValueError):
    """More bytes than the limit named in the text."""

    code = Errc.too_large


class Closed(Error, ConnectionError):
    """The node, session or reader is closed."""

    code = Errc.closed


class Refused(Error, ConnectionRefusedError):
    """The peer, or a rule of ours, said no."""

    code = Errc.refused


class TimedOut(Error, TimeoutError):
    """Nothing came within the time allowed."""

    code = Errc.timed_out


class WouldBlock(Error, BlockingIOError):
    """No room now: wait for ``drain()``."""

    code = Errc.would_block


class NotSupported(Error):
    """Known, but not built here."""

    code = Errc.not_supported


class AlreadyExists(Error):
    """There is one already."""

    code = Errc.already_exists


class NotFound(Error, LookupError):
    """No such thing."""

    code = Errc.not_found


class LimitReached(Error):
    """A bound on number or bytes is reached."""

    code = Errc.limit_reached


class PermissionDenied(Error, PermissionError):
    """The operating system or an allow list forbids it."""

    code = Errc.permission_denied


class KeyMismatch(Error, ConnectionError):
    """Another key answered than the one asked for."""

    code = Errc.key_mismatch


class Unreachable(Error, ConnectionError):
    """No way to the peer."""

    code = Errc.unreachable


class IoError(Error, OSError):
    """The operating system reports a failure."""

    code = Errc.io


class CryptoError(Error):
    """A signature, tag or key does not hold."""

    code = Errc.crypto


class Busy(Error):
    """The peer cannot take it now."""

    code = Errc.busy


class DeliveryUnknown(Error):
    """Sent, and no receipt came: it may or may not have arrived. Sending it again with the same id is safe."""

    code = Errc.delivery_unknown


class InternalError(Error):
    """One of the library's own invariants failed."""

    code = Errc.internal


_CLASSES: dict[int, type[Error]] = {
    int(kind.code): kind
    for kind in (
        InvalidArgument, Malformed, TooLarge, Closed, Refused, TimedOut, WouldBlock, NotSupported, AlreadyExists, NotFound,
        LimitReached, PermissionDenied, KeyMismatch, Unreachable, IoError, CryptoError, Busy, DeliveryUnknown, InternalError,
    )
}


def _from_native(code: int, text: str) -> Error:
    """Called by the native module. A code of a newer library is an Error with that text."""
    return _CLASSES.get(code, Error)(text)
