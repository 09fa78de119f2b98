#!/usr/bin/env python3
"""Slow readers, full queues, idle and half-open connections: bounded, and no obstacle to others."""

import concurrent.futures
import contextlib
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import RawLink, TestCase, main, make_key, options, read_to_end, until  # noqa: E402


class IdleConnections(TestCase):
    def test_2000_idle_http_connections(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
        axl = self.axld()
        before, memory = axl.process.open_files(), axl.process.status("VmRSS")
        socks = []
        for number in range(2000):
            sock = socket.create_connection(("127.0.0.1", axl.api.port), 60)
            if number % 3 == 1:
                sock.sendall(f"GET /topology HTTP/1.1\r\nHost: 127.0.0.1:{axl.api.port}\r\n\r\n".encode())
            elif number % 3 == 2:
                sock.sendall(b"GET /topology HTTP/1.1\r\nHo")
            socks.append(sock)
        self.assert_works(axl, axl)
        self.assertEqual(axl.api.get("/topology").status, 200)
        for sock in socks[1::3]:
            self.assertTrue(sock.recv(12) == b"HTTP/1.1 200")
        if not options.sanitized:
            self.assertLess(axl.process.status("VmRSS") - memory, 80_000, "kB")
        for sock in socks:
            sock.close()
        until(lambda: axl.process.open_files() <= before + 4, "their descriptors are closed")
        self.assert_works(axl, axl)

    def test_beyond_the_limit_the_node_stays_alive(self):
        """4 096 connections are served (spec bridge 9, 17); what comes on top gets an answer, a close, or waits."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
        axl = self.axld()
        socks = []
        for _ in range(4300):
            try:
                socks.append(socket.create_connection(("127.0.0.1", axl.api.port), 5))
            except OSError:
                break
        self.assertGreaterEqual(len(socks), 4000)
        for sock in socks:
            sock.close()
        until(lambda: axl.api.get("/topology").status == 200, "the API answers again")
        self.assert_works(axl, axl)


class HalfOpen(TestCase):
    def test_half_open_tls_and_silent_links(self):
        """64 handshakes at a time, 6 s each: who only opens is closed, who means it gets in."""
        axl = self.axld(listen=["tls://127.0.0.1:0", "tcp://127.0.0.1:0"])
        before = axl.process.open_files()
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(20)  # a ClientHello that stops
        socks = []
        for number in range(200):
            scheme = "tls" if number < 100 else "tcp"
            with contextlib.suppress(ConnectionError):  # beyond the limit the reset can be here before connect() returns
                socks.append((number, socket.create_connection(("127.0.0.1", axl.listener(scheme)[1]), 60)))
        self.assertGreaterEqual(len(socks), 64)
        for number, sock in socks:
            if number % 2 and number < 100:
                with contextlib.suppress(ConnectionError):  # beyond the limit it is closed before it can speak
                    sock.sendall(hello)
        peer = self.axld(peers=[axl.uri("tls")])
        peer.wait_for_peer(axl.key)
        for _, sock in socks:
            read_to_end(sock)
            sock.close()
        self.assert_works(peer, axl)
        until(lambda: axl.process.open_files() <= before + 4, "their descriptors are closed")

    def test_a_link_that_never_reads(self):
        axl = self.axld(listen=["tcp://127.0.0.1:0"])
        peer = self.axld(peers=[axl.uri("tcp")])
        link = RawLink("tcp", "127.0.0.1", axl.listener("tcp")[1])
        link.handshake(make_key())
        with link.kept_alive():
            for _ in range(20):
                self.assert_works(peer, axl)
        link.close()


class SlowReader(TestCase):
    def test_a_client_that_does_not_read_its_message(self):
        sender, receiver = self.line(2)
        big, small = os.urandom(16 << 20), b"small"
        self.assertEqual(sender.api.send(receiver.key, big).status, 200)
        self.assertEqual(sender.api.send(receiver.key, small).status, 200)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(60)
            slow.connect(("127.0.0.1", receiver.api.port))
            slow.sendall(f"GET /recv HTTP/1.1\r\nHost: 127.0.0.1:{receiver.api.port}\r\n\r\n".encode())
            self.assertEqual(slow.recv(12), b"HTTP/1.1 200")
            # Meanwhile everything else works.
            self.assertEqual(receiver.api.get("/topology").status, 200)
            self.assertEqual(sender.api.send(receiver.key, b"more").status, 200)
        # It left with half a message: that goes back to the front.
        self.assertTrue(receiver.api.receive().body == big)
        self.assertEqual([receiver.api.receive().body for _ in range(2)], [small, b"more"])

    def test_clients_that_give_up_a_long_poll_lose_nothing(self):
        sender, receiver = self.line(2)
        for number in range(30):
            with socket.create_connection(("127.0.0.1", receiver.api.port)) as sock:
                sock.sendall(f"GET /recv?wait=60 HTTP/1.1\r\nHost: 127.0.0.1:{receiver.api.port}\r\n\r\n".encode())
                if number % 2:
                    until(lambda: receiver.api.get("/topology").status == 200, "the request before is surely being served")
        body = os.urandom(1 << 20)
        self.assertEqual(sender.api.send(receiver.key, body).status, 200)
        self.assertTrue(receiver.api.receive().body == body)


class FullQueue(TestCase):
    def fill(self, sender, receiver, body=b""):
        """Sends numbered messages until one is refused. Returns how many were taken."""
        for number in range(100_000):
            answer = sender.api.send(receiver.key, b"%06d" % number + body, message_id=f"{sender.key.hex[:8]}-{number}")
            if answer.status != 200:
                self.assertEqual(answer.status, 503, answer)
                self.assertGreater(int(answer.headers["Retry-After"]), 0)
                return number
        self.fail("never full")

    def test_messages(self):
        sender, receiver, other = self.line(3, settings={"recv_queue_messages": 40})
        taken = self.fill(sender, receiver)
        # A quarter is the most for one peer: another's messages find room.
        self.assertEqual(taken, 10)
        self.assertEqual(self.fill(other, receiver), 10)
        # Room made is room used, under the name that was refused.
        self.assertEqual(receiver.api.receive().body, b"000000")
        self.assertEqual(sender.api.send(receiver.key, b"%06d" % taken, message_id=f"{sender.key.hex[:8]}-{taken}").status, 200)
        # Everything that was accepted, in order, and nothing else.
        received = [receiver.api.receive() for _ in range(20)]
        self.assertIsNone(receiver.api.receive(wait=0))
        ours = [r.body for r in received if r.headers["X-From-Peer-Id"] == sender.key.hex]
        theirs = [r.body for r in received if r.headers["X-From-Peer-Id"] == other.key.hex]
        self.assertEqual(ours, [b"%06d" % number for number in range(1, 11)])
        self.assertEqual(theirs, [b"%06d" % number for number in range(10)])

    def test_bytes(self):
        sender, receiver = self.line(2, settings={"recv_queue_bytes": 16 << 20, "max_message_size": 4 << 20})
        taken = self.fill(sender, receiver, bytes(1 << 20))
        self.assertEqual(taken, 3, "three messages of a little over 1 MiB fit the quarter of 16 MiB")
        for number in range(taken):
            self.assertEqual(receiver.api.receive().body[:6], b"%06d" % number)
        self.assertIsNone(receiver.api.receive(wait=0))
        self.assertEqual(sender.api.send(receiver.key, bytes(4 << 20)).status, 200, "room for the longest message again")

    def test_concurrent_senders_at_a_full_queue(self):
        sender, receiver = self.line(2, settings={"recv_queue_messages": 100})
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda number: sender.api.send(receiver.key, b"%d" % number), range(300)))
        self.assertEqual({answer.status for answer in answers}, {200, 503})
        accepted = sorted(number for number, answer in enumerate(answers) if answer.status == 200)
        received = []
        while (message := receiver.api.receive(wait=0)) is not None:
            received.append(int(message.body))
        self.assertEqual(sorted(received), accepted)


if __name__ == "__main__":
    main(namespaces="preferred")
