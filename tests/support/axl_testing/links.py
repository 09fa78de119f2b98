"""A neighbour played by hand: the meta handshake, then whatever frames the test likes."""

import contextlib
import hashlib
import socket
import ssl
import struct
import threading

from .frames import read_exactly
from .keys import make_key

KEEPALIVE = b"\x01\x01"


def field(kind, value):
    return struct.pack(">HH", kind, len(value)) + value


def meta(key, password=b"", version=(0, 5), priority=b"\x00", fields=None, signature=None):
    """A meta message; each part may be replaced by a wrong one."""
    body = fields if fields is not None else (field(0, struct.pack(">H", version[0])) + field(1, struct.pack(">H", version[1])) +
                                              field(2, key.public) + field(3, priority))
    body += key.sign(hashlib.blake2b(key.public, key=password).digest()) if signature is None else signature
    return b"meta" + struct.pack(">H", len(body)) + body


def uvarint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def link_frame(kind, body=b""):
    return uvarint(len(body) + 1) + bytes([kind]) + body


class RawLink:
    """A connection to a listener of axld."""

    def __init__(self, scheme, host, port, timeout=60):
        self.sock = socket.create_connection((host, port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if scheme == "tls":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)

    def handshake(self, key=None, password=b""):
        """Exchanges metas; returns the other side's key."""
        self.sock.sendall(meta(key or make_key(), password))
        head = read_exactly(self.sock, 6)
        rest = read_exactly(self.sock, struct.unpack(">H", head[4:])[0])
        return rest[rest.index(b"\x00\x02\x00\x20") + 4 :][:32]

    @contextlib.contextmanager
    def kept_alive(self):
        """Meanwhile the other side hears from us, so that silence is no reason for it to close."""
        done = threading.Event()

        def run():
            with contextlib.suppress(OSError):
                while not done.wait(0.5):
                    self.sock.sendall(KEEPALIVE)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield self
        finally:
            done.set()
            thread.join()

    def send(self, data):
        self.sock.sendall(data)

    def wait_closed(self):
        """Reads until the other side has closed; a time-out of the socket is the failure."""
        try:
            while self.sock.recv(1 << 16):
                pass
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            pass

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
