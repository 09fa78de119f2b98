#!/usr/bin/env python3
"""Replays the probes of overlay port 7000: kernel TCP on a stock host, frames as a node of the older kind writes them."""

import json
import os
import select
import socket
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "probes"))
from backends import start  # noqa: E402
from replaying import script_of  # noqa: E402
from axl_testing import frame, main, options, read_frame, read_to_end, until  # noqa: E402
from old_peer_test import Old  # noqa: E402

MAXIMUM = 16 << 20
# The recorded waits were 60 and 300 s, the defaults; those are looked at in virtual time (frame_server_test.cpp).
WAITS = {"conn_read_timeout_secs": 2, "conn_idle_timeout_secs": 4}


def call(service, number):
    request = {"jsonrpc": "2.0", "id": number, "method": "tools/list"}
    return frame(json.dumps({"service": service, "request": request}, separators=(",", ":")).encode())


def unknown(service):
    return {"service": service, "response": None, "error": f"router error: Service not found: {service}"}


def probes():
    with open(os.path.join(options.vectors, "probes.json"), encoding="utf-8") as file:
        return [probe["name"] for probe in json.load(file)["probes"] if script_of(probe) == "interop/wire_probes_test.py"]


class Wire(Old):
    """A probe's method has its name."""

    def setUp(self):
        self.SETTINGS = {**self.SETTINGS, "services": {"echo": {"url": start(self)["echo"]}}}
        super().setUp()
        until(lambda: self.stock.ping(self.axl.key.address), "a ping is answered")

    @classmethod
    def mine(cls):
        return [name for name in probes() if hasattr(cls, name.removeprefix("wire."))]

    def replay(self):
        for name in self.mine():
            with self.subTest(probe=name):
                getattr(self, name.removeprefix("wire."))()
        self.assertIsNone(self.axl.api.receive(wait=0), "nothing else came into the queue")

    def assert_closed(self, begun):
        with self.connect() as sock:
            sock.sendall(begun)
            self.assertEqual(read_to_end(sock), b"", begun[:20])

    def assert_echo(self, answer, number):
        answer = json.loads(answer)
        self.assertIsNone(answer.get("error"), answer)
        self.assertEqual((answer["service"], answer["response"]["id"]), ("echo", number))
        seen = answer["response"]["result"]["seen"]["headers"]
        # FIX 2.1: the sender's full key.
        self.assertEqual((seen["X-From-Peer-Id"], seen["X-Service"]), (self.stock.key.hex, "echo"))
        self.assertEqual((seen["Content-Type"], seen["Accept"]), ("application/json", "application/json, text/event-stream"))


class Frames(Wire):
    def toolong(self):
        for begun in struct.pack(">I", MAXIMUM + 1), b"GET / HTTP/1.1\r\n":
            self.assert_closed(begun)

    def exact(self):
        body = os.urandom(MAXIMUM)
        with self.connect() as sock:
            sock.sendall(frame(body))
            self.assertTrue(self.axl.api.receive().body == body, "it arrived changed")
            self.assertEqual(select.select([sock], [], [], 0)[0], [], "neither answered nor closed")

    def pipeline(self):
        with self.connect() as sock:
            sock.sendall(call("slowish", 1) + call("echo", 2) + frame(b"plain between") + call("nosuch", 3))
            self.assertEqual(json.loads(read_frame(sock)), unknown("slowish"))
            self.assert_echo(read_frame(sock), 2)
            self.assertEqual(json.loads(read_frame(sock)), unknown("nosuch"))
        self.assertEqual(self.axl.api.receive().body, b"plain between")

    def halfclose(self):
        with self.connect() as sock:
            sock.sendall(call("echo", 9))
            sock.shutdown(socket.SHUT_WR)
            self.assert_echo(read_frame(sock), 9)
            self.assertEqual(read_to_end(sock), b"")

    def closedport(self):
        # EXT 8.4: somebody listens on 7001 here, so another one.
        with self.assertRaises(ConnectionRefusedError):
            self.stock.host.connect(self.axl.key.address, 7002)

    def many(self):
        # FIX 9.8: those above the limit wait until others are done, where the reference hangs up on them.
        socks = [self.connect() for _ in range(135)]
        for number, sock in enumerate(socks):
            sock.sendall(call("echo", number))
        for number, sock in enumerate(socks):
            self.assert_echo(read_frame(sock), number)
            sock.close()

    def test_every_probe(self):
        self.replay()


class Silence(Wire):
    SETTINGS = WAITS

    def partial(self):
        self.assert_closed(struct.pack(">I", 10) + b"ab")

    def idle(self):
        self.assert_closed(b"")

    def shortlen(self):
        self.assert_closed(b"\0\0")

    def test_every_probe(self):
        self.replay()


class Whole(unittest.TestCase):
    def test_no_probe_is_left_out(self):
        self.assertEqual(sorted(Frames.mine() + Silence.mine()), sorted(probes()))
        self.assertEqual(len(probes()), 9)


if __name__ == "__main__":
    main()
