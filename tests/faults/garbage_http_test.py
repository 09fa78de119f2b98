#!/usr/bin/env python3
"""Garbage, truncated and oversize requests at the local API."""

import contextlib
import os
import random
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, make_key, options, read_to_end, until  # noqa: E402


class GarbageHttp(TestCase):
    def setUp(self):
        super().setUp()
        self.axl = self.axld(settings={"max_message_size": 1 << 20})
        self.host = f"Host: 127.0.0.1:{self.axl.api.port}\r\n"

    def tearDown(self):
        self.assert_works(self.axl, self.axl)  # a message to oneself

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.axl.api.port), 60)

    def answer(self, request, half_close=False):
        """All that comes back until the node closes."""
        with self.connect() as sock:
            with contextlib.suppress(OSError):  # it may close before all is written
                sock.sendall(request)
                if half_close:
                    sock.shutdown(socket.SHUT_WR)
            return read_to_end(sock)

    def test_what_is_no_request_is_400_and_ends(self):
        post = f"POST /send HTTP/1.1\r\n{self.host}X-Destination-Peer-Id: {self.axl.key.hex}\r\n"
        for request in ("hello\r\n\r\n", "\0\0\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET /recv\r\n\r\n", "GET /recv HTTP/9.9\r\n\r\n",
                        "GET /recv HTTP/1.1\r\n\r\n", f"GET /recv HTTP/1.1\r\n{self.host}bad header\r\n\r\n",
                        f"GET /recv HTTP/1.1\r\n{self.host}A: b\r\n folded\r\n\r\n", f"GET /\x01 HTTP/1.1\r\n{self.host}\r\n",
                        f"GET /recv HTTP/1.1\r\n{self.host}{self.host}\r\n",
                        post + "Content-Length: -1\r\n\r\n", post + "Content-Length: 1x\r\n\r\nab", post + "Content-Length: 99999999999999999999999\r\n\r\n",
                        post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                        post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
                        post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nab",
                        post + "Transfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n"):
            with self.subTest(request=request[-90:]):
                # 4xx for all of them; some have a more precise number than 400.
                self.assertRegex(self.answer(request.encode()), rb"^HTTP/1\.[01] (4\d\d|505) ")
        self.assertIsNone(self.axl.api.receive(wait=0), "none of them was a message")

    def test_random_bytes(self):
        seed = random.randrange(1 << 32)
        print("seed", seed)
        source = random.Random(seed)
        pieces = [b"GET ", b"POST ", b"/send", b"/recv", b" HTTP/1.1\r\n", self.host.encode(), b"\r\n", b"Content-Length: 5\r\n", b"\r\n\r\n",
                  b"Transfer-Encoding: chunked\r\n", b"5\r\n", b"abcde", b"0\r\n\r\n"]
        for _ in range(300):
            data = b"".join(source.choice(pieces) if source.random() < 0.8 else source.randbytes(source.randrange(20)) for _ in range(12))
            self.answer(data, half_close=True)

    def test_headers_without_end(self):
        answer = self.answer(f"GET /recv HTTP/1.1\r\n{self.host}X-A: ".encode() + b"a" * (2 << 20) + b"\r\n\r\n")
        self.assertRegex(answer, rb"^HTTP/1\.1 431 ")
        answer = self.answer(f"GET /recv HTTP/1.1\r\n{self.host}".encode() + b"".join(b"X-%d: y\r\n" % n for n in range(200_000)) + b"\r\n")
        self.assertRegex(answer, rb"^HTTP/1\.1 431 ")

    def test_a_body_over_the_limit_is_refused_early(self):
        before = self.axl.process.status("VmRSS")
        head = f"POST /send HTTP/1.1\r\n{self.host}X-Destination-Peer-Id: {self.axl.key.hex}\r\n"
        answer = self.answer((head + "Content-Length: 10737418240\r\n\r\n").encode() + b"start")
        self.assertRegex(answer, rb"^HTTP/1\.1 413 ")
        answer = self.axl.api.send(self.axl.key, bytes((1 << 20) + 1))
        self.assertEqual((answer.status, answer.text), (413, "Message size 1048577 exceeds maximum 1048576\n"))
        # Chunked, so no length was announced.
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        answer = self.answer((head + "Transfer-Encoding: chunked\r\n\r\n").encode() + chunk * 400 + b"0\r\n\r\n")
        self.assertRegex(answer, rb"^HTTP/1\.1 413 ")
        if not options.sanitized:
            self.assertLess(self.axl.process.status("VmRSS") - before, 20_000, "kB")

    def test_announced_bodies_cost_nothing(self):
        before = self.axl.process.status("VmRSS")
        head = f"POST /send HTTP/1.1\r\n{self.host}X-Destination-Peer-Id: {self.axl.key.hex}\r\nContent-Length: 1048576\r\n\r\n".encode()
        socks = [self.connect() for _ in range(200)]
        for sock in socks:
            sock.sendall(head + b"x")
        self.assert_works(self.axl, self.axl)
        if not options.sanitized:
            self.assertLess(self.axl.process.status("VmRSS") - before, 40_000, "kB")
        for sock in socks:
            sock.close()

    def test_requests_cut_short_are_no_messages(self):
        before = self.axl.process.open_files()
        request = (f"POST /send HTTP/1.1\r\n{self.host}X-Destination-Peer-Id: {self.axl.key.hex}\r\nContent-Length: 10\r\n\r\n0123456789").encode()
        for size in range(1, len(request), 3):
            with self.connect() as sock:
                sock.sendall(request[:size])
        self.assertIsNone(self.axl.api.receive(wait=0))
        until(lambda: self.axl.process.open_files() <= before + 2, "their descriptors are closed")

    def test_single_bytes(self):
        request = f"POST /send HTTP/1.1\r\n{self.host}X-Destination-Peer-Id: {self.axl.key.hex}\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
        with self.connect() as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request.encode():
                sock.sendall(bytes([byte]))
            self.assertRegex(read_to_end(sock), rb"^HTTP/1\.1 200 ")
        self.assertEqual(self.axl.api.receive().body, b"abc")

    def test_foreign_hosts_and_origins_are_refused(self):
        key = make_key().hex
        for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{self.axl.api.port}"}, {"Origin": "http://evil.example"},
                        {"Origin": "null"}, {"Origin": f"http://127.0.0.1:{self.axl.api.port}"}, {"Host": ""}):
            for method, path in ("POST", "/send"), ("GET", "/recv"), ("GET", "/topology"), ("OPTIONS", "/send"):
                with self.subTest(headers=headers, path=path):
                    answer = self.axl.api.request(method, path, b"x" if method == "POST" else None, {"X-Destination-Peer-Id": key, **headers})
                    self.assertEqual(answer.status, 403 if headers.get("Host") != "" else answer.status, answer)
                    self.assertNotEqual(answer.status, 200)
                    self.assertFalse([name for name in answer.headers if name.lower().startswith("access-control-")])
        for host in "127.0.0.1", "localhost", "[::1]", f"LOCALHOST:{self.axl.api.port}":
            self.assertEqual(self.axl.api.get("/topology", Host=host).status, 200, host)

    def test_pipelined_requests_are_answered_in_order(self):
        count = 200
        sends = "".join(f"POST /send HTTP/1.1\r\n{self.host}X-Destination-Peer-Id: {self.axl.key.hex}\r\nX-Axl-Message-Id: id-{n}\r\n"
                        f"Content-Length: {len(str(n))}\r\n\r\n{n}" for n in range(count))
        answer = self.answer((sends + f"GET /nothing HTTP/1.1\r\n{self.host}Connection: close\r\n\r\n").encode()).decode()
        self.assertEqual(re.findall(r"HTTP/1\.1 (\d+)", answer), ["200"] * count + ["404"])
        self.assertEqual(re.findall(r"X-Axl-Message-Id: (\S+)", answer, re.I), [f"id-{n}" for n in range(count)])
        self.assertEqual([self.axl.api.receive().body for _ in range(count)], [b"%d" % n for n in range(count)])


if __name__ == "__main__":
    main(namespaces="preferred")
