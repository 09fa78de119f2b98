#!/usr/bin/env python3
"""Whoever has all that it may have under way is told so, with 503 and Retry-After, and others do not feel it."""

import asyncio
import contextlib
import os
import resource
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, make_keys, until  # noqa: E402

ONE_PEER = 1024  # connections of one peer on port 7001, and requests of this machine to one peer
LOCAL = 4096  # connections to the local API


class Backend:
    """HTTP on loopback: `/hold` is never answered, everything else at once."""

    def __init__(self):
        self.held = 0
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()

        async def serve():
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()

        threading.Thread(target=lambda: (self.loop.run_until_complete(serve()), self.loop.run_forever()), daemon=True).start()
        ready.wait()

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.split()[1].endswith(b"/hold"):
                    self.held += 1
                    try:
                        await reader.read(1)  # until the node hangs up
                    finally:
                        self.held -= 1
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


def answer_of(sock):
    """Status and head of the answer."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = sock.recv(65536)
        if not piece:
            return 0, head
        head += piece
    return int(head.split()[1]), head


class Limits(TestCase):
    def setUp(self):
        super().setUp()
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(16384, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
        self.backend = Backend()
        self.addCleanup(self.backend.close)
        self.settings = {"services": {"s": {"url": f"http://127.0.0.1:{self.backend.port}/"}}}
        self.socks = []
        self.addCleanup(self.hang_up)

    def hang_up(self, count=None):
        for sock in self.socks[:count]:
            sock.close()
        del self.socks[:count]

    def assert_busy(self, status, head):
        self.assertEqual(status, 503, head)
        self.assertRegex(head, rb"\r\nRetry-After: [1-9]")

    def assert_served(self, near, far, suffix="quick"):
        answer = until(lambda: (got := near.api.get(f"/mcp/{far.key.hex}/s/{suffix}")).status != 502 and got, "the node is reached")
        self.assertEqual((answer.status, answer.body), (200, b"hi"), answer)

    def test_connections_to_the_local_api(self):
        node = self.axld()
        request = f"GET /recv/stream HTTP/1.1\r\nHost: 127.0.0.1:{node.api.port}\r\n\r\n".encode()
        for _ in range(LOCAL):
            sock = socket.create_connection(("127.0.0.1", node.api.port), 60)
            sock.sendall(request)
            self.socks.append(sock)

        def one_more():
            with socket.create_connection(("127.0.0.1", node.api.port), 60) as sock:
                sock.sendall(f"GET /topology HTTP/1.1\r\nHost: 127.0.0.1:{node.api.port}\r\n\r\n".encode())
                return answer_of(sock)

        self.assert_busy(*one_more())
        self.assert_busy(*one_more())
        self.hang_up(1)
        until(lambda: one_more()[0] == 200, "a place that is free is given to the next")
        self.hang_up()
        self.assert_works(node, node)

    def test_one_peer_on_port_7001(self):
        """A stock host with a client of its own that opens all it can."""
        low, middle, high = make_keys(3)
        stock = self.yggdrasil(key=low)
        node = self.axld(key=middle, peers=[stock.uri()], settings=self.settings)
        other = self.axld(key=high, peers=[stock.uri()])
        for member in node, other:
            member.wait_for_root(low)
        until(lambda: stock.ping(node.key.address), "a ping is answered")
        self.assert_served(other, node)

        def connect(path):
            sock = stock.host.connect(node.key.address, 7001)
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: [{node.key.address}]\r\n\r\n".encode())
            return sock

        for _ in range(ONE_PEER):
            self.socks.append(connect("/mcp/s/hold"))
        until(lambda: self.backend.held == ONE_PEER, "all of them reach the service")
        for path in "/mcp/s/quick", "/services":
            with connect(path) as sock:
                self.assert_busy(*answer_of(sock))
        self.assertEqual(self.backend.held, ONE_PEER)
        for _ in range(20):
            self.assert_served(other, node)
        self.assert_works(other, node)
        self.hang_up(1)

        def let_in():
            with connect("/mcp/s/quick") as sock:
                return answer_of(sock)[0] == 200

        until(let_in, "a place that is free is given to the next")
        self.hang_up()
        until(lambda: self.backend.held == 0, "the service hears that they have gone")

    def test_requests_of_this_machine_to_one_peer(self):
        near, far, third = self.line(3, settings=self.settings)
        self.assert_served(near, far)
        self.assert_served(near, third)
        request = f"GET /mcp/{far.key.hex}/s/hold HTTP/1.1\r\nHost: 127.0.0.1:{near.api.port}\r\n\r\n".encode()
        for _ in range(ONE_PEER):
            sock = socket.create_connection(("127.0.0.1", near.api.port), 60)
            sock.sendall(request)
            self.socks.append(sock)
        until(lambda: self.backend.held == ONE_PEER, "all of them reach the service")
        answer = near.api.get(f"/mcp/{far.key.hex}/s/quick")
        self.assertEqual(answer.status, 503, answer)
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        for _ in range(20):
            self.assert_served(near, third)  # another peer
            self.assert_served(third, far)  # another caller, at the same service
        self.hang_up(1)
        until(lambda: near.api.get(f"/mcp/{far.key.hex}/s/quick").status == 200, "a place that is free is given to the next")
        self.hang_up()
        until(lambda: self.backend.held == 0, "the service hears that they have gone")
        self.assert_works(near, far)


if __name__ == "__main__":
    main()
