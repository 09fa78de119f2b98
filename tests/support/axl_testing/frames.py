"""Frames of overlay port 7000: a big-endian length, then as many bytes."""

import struct


def frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def read_exactly(sock, size):
    """`size` bytes, or None if the other side ends first."""
    parts = []
    while size:
        part = sock.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def read_frame(sock):
    """The body of the next frame, or None at the end."""
    head = read_exactly(sock, 4)
    return None if head is None else read_exactly(sock, struct.unpack(">I", head)[0])


def read_to_end(sock):
    """All that comes until the other side closes, or resets, the connection."""
    parts = []
    try:
        while part := sock.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
