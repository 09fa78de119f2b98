#!/usr/bin/env python3
"""A peer that knows overlay port 7000 only, as the reference does: kernel TCP on a stock host with 1280-byte packets.

Spec: frames of a big-endian length and as many bytes; no answer to a plain message; envelopes answered on the same
connection."""

import concurrent.futures
import contextlib
import json
import os
import queue
import select
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, frame, main, make_keys, read_frame, read_to_end, until  # noqa: E402


class OldPeer:
    """Accepts connections on port 7000 of a stock host and puts the frames of all of them into one queue."""

    def __init__(self, host):
        self.frames = queue.Queue()
        self.accepted = []
        self.server = host.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(("::", 7000))
        self.server.listen(200)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            self.accepted.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock:
            try:
                while (body := read_frame(sock)) is not None:
                    self.frames.put(body)
            except OSError:
                pass

    def next(self):
        return self.frames.get(timeout=60)

    def close(self):
        """As the end of its process would: the host stays, its connections go."""
        for sock in [self.server, *self.accepted]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Old(TestCase):
    SETTINGS = {}

    def setUp(self):
        super().setUp()
        low, middle, high = make_keys(3)
        self.third = self.yggdrasil(key=middle)
        self.stock = self.yggdrasil(key=low, peers=[self.third.uri()], listen=[], mtu=1280)
        self.axl = self.axld(key=high, peers=[self.third.uri()], settings=self.SETTINGS)
        for node in self.third, self.stock, self.axl:
            node.wait_for_root(low)

    def old_peer(self):
        peer = OldPeer(self.stock.host)
        self.addCleanup(peer.close)
        return peer

    def connect(self):
        return self.stock.host.connect(self.axl.key.address, 7000)


class WeSend(Old):
    def test_a_message_arrives_and_the_answer_says_what_is_known(self):
        peer = self.old_peer()
        for body in b"hello", b"", os.urandom(100_000):
            answer = self.axl.api.send(self.stock.key, body, message_id="mine")
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.headers["X-Axl-Delivered"], "unknown")
            self.assertEqual(answer.headers["X-Axl-Message-Id"], "mine")
            self.assertEqual(answer.headers["X-Sent-Bytes"], str(len(body)))
            self.assertEqual(peer.next(), body)

    def test_sequential_messages_keep_their_order_on_one_connection(self):
        peer = self.old_peer()
        messages = [os.urandom(size % 5000) for size in range(0, 200 * 777, 777)]
        connection = self.axl.api.connection()
        for message in messages:
            self.assertEqual(self.axl.api.send(self.stock.key, message, connection=connection).status, 200)
        connection.close()
        self.assertEqual([peer.next() for _ in messages], messages)
        self.assertEqual(len(peer.accepted), 1)

    def test_a_large_message_in_small_packets(self):
        peer = self.old_peer()
        data = os.urandom(16 << 20)
        self.assertEqual(self.axl.api.send(self.stock.key, data).status, 200)
        self.assertTrue(peer.next() == data, "it arrived changed")

    def test_concurrent_messages_all_arrive_once(self):
        peer = self.old_peer()
        messages = [b"%04d" % number + os.urandom(number * 10) for number in range(200)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda message: self.axl.api.send(self.stock.key, message).status, messages))
        self.assertEqual(set(statuses), {200})
        self.assertEqual(sorted(peer.next() for _ in messages), messages)
        self.assertTrue(peer.frames.empty())

    def test_a_peer_without_any_port_is_reported_at_once(self):
        answer = self.axl.api.send(self.stock.key, b"anybody there?")
        self.assertEqual(answer.status, 502, answer)
        self.assertRegex(answer.text, r"^Failed to reach peer: .*refused")
        self.assertIn("X-Axl-Message-Id", answer.headers)

    def test_the_peer_closes_the_idle_connection_and_the_next_message_arrives(self):
        peer = self.old_peer()
        self.assertEqual(self.axl.api.send(self.stock.key, b"one").status, 200)
        self.assertEqual(peer.next(), b"one")
        peer.close()
        again = self.old_peer()
        until(lambda: self.axl.api.send(self.stock.key, b"two").status == 200, "the next message is taken")
        self.assertEqual((again.next(), peer.frames.empty()), (b"two", True))


class WeReceive(Old):
    def test_many_frames_on_one_connection_then_half_close(self):
        with self.connect() as sock:
            messages = [os.urandom(number * 100) for number in range(50)]
            for message in messages:
                sock.sendall(frame(message))
            sock.shutdown(socket.SHUT_WR)
            for message in messages:
                received = self.axl.api.receive()
                self.assertEqual(received.body, message)
                self.assertEqual(received.headers["X-From-Peer-Id"], self.stock.key.hex)
            self.assertEqual(read_to_end(sock), b"", "plain messages have no answer")

    def test_a_connection_per_message_as_the_reference_makes_it(self):
        for number in range(30):
            with self.connect() as sock:
                sock.sendall(frame(b"%d" % number))
        self.assertEqual({self.axl.api.receive().body for _ in range(30)}, {b"%d" % number for number in range(30)})

    def test_the_longest_frame_is_taken_and_a_longer_one_closes(self):
        data = os.urandom(16 << 20)
        with self.connect() as sock:
            sock.sendall(frame(data))
            self.assertTrue(self.axl.api.receive().body == data, "it arrived changed")
        for head in struct.pack(">I", (16 << 20) + 1), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\xff" * 4:
            with self.connect() as sock:
                sock.sendall(head)
                self.assertEqual(read_to_end(sock), b"")
        self.assertIsNone(self.axl.api.receive(wait=0))

    def test_a_message_cut_short_is_no_message(self):
        with self.connect() as sock:
            sock.sendall(frame(b"whole") + frame(b"cut short")[:-3])
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(read_to_end(sock), b"")
        self.assertEqual(self.axl.api.receive().body, b"whole")
        self.assertIsNone(self.axl.api.receive(wait=0))

    def test_envelopes_are_answered_with_an_error_and_kept_from_the_queue(self):
        # FIX (spec 4): without a handler, a frame of exactly an envelope's shape is answered at once.
        request = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
        for envelope, shape in (({"service": "weather", "request": request}, {"service": "weather", "response": None}),
                                ({"a2a": True, "request": request}, {"a2a": True, "response": None}),
                                ({"a2a": True, "agent_card": True, "request": None}, {"a2a": True, "response": None})):
            with self.subTest(envelope=envelope), self.connect() as sock:
                sock.sendall(frame(json.dumps(envelope, separators=(",", ":")).encode()))
                answer = json.loads(read_frame(sock))
                self.assertTrue(answer.pop("error"))
                self.assertEqual(answer, shape)
        self.assertIsNone(self.axl.api.receive(wait=0))

    def test_what_only_resembles_an_envelope_is_a_message(self):
        for body in (b'{"service":""}', b'{"service":5}', b'{"a2a":false}', b'{"service":"weather","note":"plain"}',
                     b'{"service":"weather","request":{"method":"x"},"more":1}', b'[{"a2a":true}]', b'{"service":"x"'):
            with self.subTest(body=body), self.connect() as sock:
                sock.sendall(frame(body))
                self.assertEqual(self.axl.api.receive().body, body)

    def test_answers_come_in_the_order_of_the_requests(self):
        with self.connect() as sock:
            for name in "abcdef":
                sock.sendall(frame(json.dumps({"service": name, "request": {"jsonrpc": "2.0", "id": 1, "method": "m"}}).encode())
                             + frame(b"plain " + name.encode()))
            self.assertEqual([json.loads(read_frame(sock))["service"] for _ in "abcdef"], list("abcdef"))
        self.assertEqual([self.axl.api.receive().body for _ in "abcdef"], [b"plain " + name.encode() for name in "abcdef"])

    def test_connections_beyond_the_limit_are_closed(self):
        # As the reference: accepted, then closed, without a word; here the limit is per config 128.
        socks = [self.connect() for _ in range(135)]

        def closed():
            return select.select(socks, [], [], 0)[0]

        until(lambda: len(closed()) == 7, "the 7 above the limit are closed")
        turned_away = closed()
        for sock in turned_away:
            self.assertEqual(read_to_end(sock), b"")
        for number, sock in enumerate(sock for sock in socks if sock not in turned_away):
            sock.sendall(frame(b"%d" % number))
        self.assertEqual(sorted(int(self.axl.api.receive().body) for _ in range(128)), list(range(128)))
        for sock in socks:
            sock.close()


class Timeouts(Old):
    SETTINGS = {"conn_read_timeout_secs": 2, "conn_idle_timeout_secs": 4}

    def test_silence_ends_a_connection(self):
        # As the reference, with shorter times: no length, half a length, half a body.
        for begun in b"", b"\0\0", frame(b"0123456789")[:6], frame(b"whole") + b"\0":
            with self.subTest(begun=begun), self.connect() as sock:
                sock.sendall(begun)
                self.assertEqual(read_to_end(sock), b"")
        self.assertEqual(self.axl.api.receive().body, b"whole")
        self.assertIsNone(self.axl.api.receive(wait=0))


if __name__ == "__main__":
    main()
