#!/usr/bin/env python3
"""What open streams through two nodes cost: those whose reader has stopped, and those that say nothing."""

import os
import resource
import selectors
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, options, until  # noqa: E402

STALLED = 200  # so many that what the heap keeps of a burst, some MB, is little beside what they hold
IDLE = 1000
STILL = 2  # seconds without a byte: it has stopped
# kB that the process grows by for a stream. 256 is what is promised; windows that grow for sockets behind them take 220.
STALLED_COST = 208
IDLE_COST = 64

# What is written again and again, as chunks. Large ones show the windows, small ones the cost of each piece.
LARGE = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
EVENTS = b"16\r\ndata: 01234567890123\n\n\r\n" * 1000
BYTES = b"1\r\nx\r\n" * 10_000

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Backend:
    """Begins a stream for each request, or (`silent`) reads its head and no more."""

    def __init__(self, silent=False):
        self.silent = silent
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.streams = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(1)  # the body stays where it is
            if b"/warm " in head:
                sock.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                sock.close()
                continue
            if not self.silent:
                sock.sendall(ANSWER)
            self.streams.append(sock)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for sock in [self.listener, *self.streams]:
            sock.close()


def write_until_stopped(socks, text):
    """Writes as fast as it goes, until nobody has taken a byte for a while. Returns the bytes each has taken."""
    taken = dict.fromkeys(socks, 0)
    with selectors.DefaultSelector() as selector:
        for sock in socks:
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_WRITE)
        while ready := selector.select(STILL):
            for key, _ in ready:
                at = taken[key.fileobj] % len(text)
                taken[key.fileobj] += key.fileobj.send(memoryview(text)[at:])
    return taken


class OpenStreams(TestCase):
    def setUp(self):
        super().setUp()
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, limit), limit))

    def start(self, silent=False):
        self.backend = Backend(silent)
        self.addCleanup(self.backend.close)
        services = {"streams": {"url": f"http://127.0.0.1:{self.backend.port}/mcp"}}
        self.server = self.axld(listen=["tls://127.0.0.1:0"], settings={"services": services})
        self.client = self.axld(peers=[self.server.uri()])
        self.client.wait_for_peer(self.server.key)
        self.path = f"/mcp/{self.server.key.hex}/streams"
        for _ in range(10):
            self.assertEqual(self.client.api.request("DELETE", self.path + "/warm").status, 204)
        self.before = self.memory()

    def memory(self):
        return [node.process.status("VmRSS") for node in (self.client, self.server)]

    def per_stream(self, count):
        """kB that it costs, on the caller's node, and on the service's."""
        return [(after - before) / count for after, before in zip(self.memory(), self.before)]

    def open(self, count, method, more="", body=b""):
        """Requests whose streams have begun at the backend."""
        socks = []
        for _ in range(count):
            sock = socket.create_connection((self.client.api.host, self.client.api.port), 120)
            self.addCleanup(sock.close)
            sock.sendall(f"{method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.client.api.port}\r\n{more}\r\n".encode() + body)
            socks.append(sock)
        until(lambda: len(self.backend.streams) >= count, "every stream has reached the backend")
        return socks

    def assert_cheap(self, limit, count, what):
        # What is free again goes back to the kernel in its own time.
        if not options.sanitized:
            until(lambda: max(self.per_stream(count)) < limit, f"{count} streams cost less than {limit} kB each: {what}")
        costs = self.per_stream(count)
        print(f"{what}: {costs[0]:.1f} kB a stream on the caller's node, {costs[1]:.1f} on the service's", file=sys.stderr)

    def assert_stopped(self, taken):
        """All moved, and none without bound: what the kernel's sockets hold is not ours to count."""
        self.assertGreater(min(taken.values()), 128 * 1024)
        self.assertLess(max(taken.values()), 64 * 1024 * 1024)

    def stalled_readers(self, text, what):
        self.start()
        clients = self.open(STALLED, "GET")
        taken = write_until_stopped(self.backend.streams, text)
        self.assert_stopped(taken)
        self.assert_cheap(STALLED_COST, STALLED, what)
        # Who reads goes on, and by that alone the backend gets on with this stream and no other.
        with selectors.DefaultSelector() as selector:
            for sock in self.backend.streams:
                selector.register(sock, selectors.EVENT_WRITE)
            self.assertEqual(clients[0].recv(12, socket.MSG_WAITALL), b"HTTP/1.1 200")
            while not (ready := selector.select(0)):
                self.assertTrue(clients[0].recv(1 << 16))
        self.assertEqual(len(ready), 1)

    def test_a_client_that_never_reads_large_chunks(self):
        self.stalled_readers(LARGE, "large chunks")

    def test_a_client_that_never_reads_events(self):
        self.stalled_readers(EVENTS, "events")

    def test_a_client_that_never_reads_single_bytes(self):
        self.stalled_readers(BYTES, "chunks of a byte")

    def stalled_backend(self, text, what):
        self.start(silent=True)
        framing = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        clients = self.open(STALLED, "POST", framing, b"1\r\nx\r\n")
        taken = write_until_stopped(clients, text)
        self.assert_stopped(taken)
        self.assert_cheap(STALLED_COST, STALLED, what)

    def test_a_backend_that_never_reads_large_chunks(self):
        self.stalled_backend(LARGE, "upload of large chunks")

    def test_a_backend_that_never_reads_single_bytes(self):
        self.stalled_backend(BYTES, "upload of chunks of a byte")

    def test_a_thousand_silent_streams(self):
        self.start()
        for sock in self.open(IDLE, "GET"):
            self.assertEqual(sock.recv(12), b"HTTP/1.1 200")
        self.assert_cheap(IDLE_COST, IDLE, "silent streams")


if __name__ == "__main__":
    main(namespaces="preferred")
