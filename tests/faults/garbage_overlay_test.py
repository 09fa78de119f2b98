#!/usr/bin/env python3
"""Crafted IPv6 packets, TCP segments, frames and HTTP from a stock host, through its TUN, at our overlay ports."""

import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, frame, main, make_key, options, read_to_end, until  # noqa: E402

TCP, ICMPV6 = 6, 58


def packet(source, destination, next_header, payload, length=None):
    head = struct.pack(">IHBB", 6 << 28, len(payload) if length is None else length, next_header, 64)
    return head + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination) + payload


def checksum(source, destination, next_header, payload):
    data = (socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination) +
            struct.pack(">IxxxB", len(payload), next_header) + payload + b"\0" * (len(payload) % 2))
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(source, destination, source_port=40000, port=7000, flags=2, options=b"", data=b"", data_offset=None, sequence=1):
    options += b"\0" * (-len(options) % 4)
    offset = 5 + len(options) // 4 if data_offset is None else data_offset
    head = struct.pack(">HHIIBBHHH", source_port, port, sequence, 0, (offset & 15) << 4, flags, 1000, 0, 0) + options + data
    return head[:16] + struct.pack(">H", checksum(source, destination, TCP, head)) + head[18:]


class GarbageOverlay(TestCase):
    def setUp(self):
        super().setUp()
        self.stock = self.yggdrasil()
        self.axl = self.axld(peers=[self.stock.uri()])
        until(lambda: self.stock.ping(self.axl.key.address), "a ping is answered")
        self.source, self.destination = self.stock.key.address, self.axl.key.address

    def tearDown(self):
        with self.stock.host.connect(self.destination, 7000) as sock:
            sock.sendall(frame(b"still here"))
            self.assertEqual(self.axl.api.receive().body, b"still here")
        self.assertEqual([peer["up"] for peer in self.axl.api.topology()["peers"]], [True])

    def inject(self, packets):
        with self.stock.host.socket(kind=socket.SOCK_RAW, protocol=socket.IPPROTO_RAW) as raw:
            for data in packets:
                raw.sendto(data, (self.destination, 0, 0, 0))

    def test_packets_that_the_stack_must_not_see(self):
        a, b = self.source, self.destination
        whole = segment(a, b)
        stranger = make_key().address
        self.inject([
            packet(a, b, TCP, b""), packet(a, b, TCP, whole[:10]), packet(a, b, TCP, whole, length=4), packet(a, b, TCP, whole, length=2000),
            packet(a, b, TCP, segment(a, b, data_offset=0)), packet(a, b, TCP, segment(a, b, data_offset=4)), packet(a, b, TCP, segment(a, b, data_offset=15)),
            # TCP options that run past the header.
            *[packet(a, b, TCP, segment(a, b, options=options)) for options in
              (b"\2", b"\2\4", b"\2\xff\5\xb4", b"\3\0", b"\3\1\7", b"\2\4\5", b"\1\1\1\2", b"\x08\x0a\0", b"\xfe\xff", b"\5\2\5\2", b"\0\xff\xff\xff", b"\2\0")],
            # Extension headers, alone and before TCP; fragments; other protocols.
            packet(a, b, 0, bytes([TCP, 0]) + bytes(6) + whole), packet(a, b, 43, bytes([TCP, 255]) + bytes(6)), packet(a, b, 60, bytes([60, 0]) + bytes(6)),
            packet(a, b, 44, bytes([TCP, 0, 0, 1]) + bytes(4) + whole), packet(a, b, 44, bytes([TCP, 0, 255, 248]) + bytes(4) + whole[:8]),
            packet(a, b, 59, b""), packet(a, b, 17, bytes(8)), packet(a, b, 41, packet(a, b, TCP, whole)), packet(a, b, 255, b"x" * 100),
            # ICMPv6 of every type, with and without what should follow.
            *[packet(a, b, ICMPV6, bytes([kind, 0, 0, 0])) for kind in range(0, 256, 3)],
            packet(a, b, ICMPV6, bytes([2, 0, 0, 0, 0, 0, 0, 0]) + packet(b, a, TCP, whole)),
            # Sources that are not the session's key.
            packet(stranger, b, TCP, segment(stranger, b)), packet("::1", b, TCP, segment("::1", b)), packet(b, b, TCP, segment(b, b)),
            packet("ff02::1", b, TCP, segment("ff02::1", b)), packet("fe80::1", b, TCP, segment("fe80::1", b)),
        ])

    def test_segments_out_of_the_blue(self):
        seed = random.randrange(1 << 32)
        print("seed", seed)
        source = random.Random(seed)
        a, b = self.source, self.destination
        self.inject(packet(a, b, TCP, segment(a, b, port=source.choice((7000, 7001, 9002, 0)), flags=source.randrange(256),
                                              options=source.randbytes(source.randrange(0, 40, 4)), data=source.randbytes(source.randrange(1200)),
                                              sequence=source.randrange(1 << 32))) for _ in range(500))

    def test_a_flood_of_syn_is_bounded_and_forgotten(self):
        a, b = self.source, self.destination
        before = self.axl.process.status("VmRSS")
        for port in 7000, 7001:
            self.inject(packet(a, b, TCP, segment(a, b, source_port=10_000 + number, port=port)) for number in range(3000))
        until(lambda: self.stock.ping(b), "a ping is answered after the flood")
        if not options.sanitized:
            self.assertLess(self.axl.process.status("VmRSS") - before, 100_000, "kB")

    def test_garbage_at_port_7001(self):
        host = f"Host: [{self.destination}]:7001\r\n"
        for request in ("hello\r\n\r\n", "\0\1\2\3", "GET / HTTP/1.1\r\n\r\n", f"POST /messages HTTP/1.1\r\n{host}\r\n",
                        f"POST /messages HTTP/1.1\r\n{host}X-Message-Id: {'x' * 2000}\r\nContent-Length: 1\r\n\r\na",
                        f"POST /messages HTTP/1.1\r\n{host}X-Message-Id: 1\r\nContent-Length: 99999999999\r\n\r\na",
                        f"POST /messages HTTP/1.1\r\n{host}X-Message-Id: 1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                        f"GET / HTTP/1.1\r\n{host}X-A: {'a' * 100_000}\r\n\r\n"):
            with self.subTest(request=request[:60]), self.stock.host.connect(self.destination, 7001) as sock:
                sock.sendall(request.encode())
                sock.shutdown(socket.SHUT_WR)
                answer = read_to_end(sock)
                self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer)
        self.assertIsNone(self.axl.api.receive(wait=0))

    def test_garbage_at_port_7000(self):
        for _ in range(20):
            with self.stock.host.connect(self.destination, 7000) as sock:
                sock.sendall(b"\xff" + os.urandom(2000))
                self.assertEqual(read_to_end(sock), b"")


if __name__ == "__main__":
    main()
