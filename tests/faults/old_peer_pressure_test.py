#!/usr/bin/env python3
"""Pressure on overlay port 7000, where no status can be answered: we stop reading, and their TCP waits."""

import concurrent.futures
import contextlib
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, frame, main, make_keys, options, read_frame, until  # noqa: E402


class OldPeerPressure(TestCase):
    def setUp(self):
        super().setUp()
        self.keys = make_keys(3)
        self.stock = self.yggdrasil(key=self.keys[0])

    def start_axl(self, **settings):
        axl = self.axld(key=self.keys[2], peers=[self.stock.uri()], settings=settings)
        until(lambda: self.stock.ping(axl.key.address), "a ping is answered")
        return axl

    def test_a_full_queue_stops_the_reading_and_loses_nothing(self):
        axl = self.start_axl(recv_queue_messages=40)
        before = axl.process.status("VmRSS")
        messages = [b"%04d" % number + os.urandom(50_000) for number in range(300)]
        with self.stock.host.connect(axl.key.address, 7000) as sock:
            sent = []

            def write():
                for message in messages:
                    sock.sendall(frame(message))
                    sent.append(message)

            writer = threading.Thread(target=write, daemon=True)
            writer.start()
            first = axl.api.receive().body
            if not options.sanitized:
                self.assertLess(axl.process.status("VmRSS") - before, 30_000, "kB")
            rest = [axl.api.receive().body for _ in messages[1:]]
            writer.join()
        self.assertTrue([first, *rest] == messages, "a message is changed, missing or out of order")
        self.assertIsNone(axl.api.receive(wait=0))

    def test_a_connection_per_message_at_a_full_queue(self):
        axl = self.start_axl(recv_queue_messages=40)

        def send(number):
            with self.stock.host.connect(axl.key.address, 7000) as sock:
                sock.sendall(frame(b"%d" % number))
                sock.shutdown(1)
                sock.recv(1)  # until it has been read to the end

        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            sends = [pool.submit(send, number) for number in range(60)]
            received = [int(axl.api.receive().body) for _ in sends]
            for result in sends:
                result.result()
        self.assertEqual(sorted(received), list(range(60)))

    def test_an_old_peer_that_does_not_read(self):
        axl = self.start_axl(send_timeout_secs=5)
        other = self.axld(peers=[self.stock.uri()])
        with self.stock.host.socket() as server:
            server.bind(("::", 7000))
            server.listen(50)
            body = os.urandom(16 << 20)
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                sends = [pool.submit(axl.api.send, self.stock.key, body) for _ in range(4)]
                self.assert_works(axl, other)
                self.assert_works(other, axl)
                answers = [send.result() for send in sends]
        # Begun and not acknowledged, so nobody knows; or never begun behind the others, so surely not.
        self.assertLessEqual({answer.status for answer in answers}, {502, 503, 504})
        self.assertIn(504, {answer.status for answer in answers})
        self.assert_works(axl, other)

    def test_idle_connections_of_one_peer_leave_room_for_another(self):
        axl = self.start_axl()
        second = self.yggdrasil(key=self.keys[1], peers=[self.stock.uri()], listen=[])
        until(lambda: second.ping(axl.key.address), "a ping is answered")
        held = []
        for _ in range(200):  # max_concurrent_conns is 128
            with contextlib.suppress(OSError):
                held.append(self.stock.host.connect(axl.key.address, 7000, timeout=10))

        def passes():
            with second.host.connect(axl.key.address, 7000, timeout=10) as sock:
                sock.sendall(frame(b"let me in"))
                sock.shutdown(1)
                with contextlib.suppress(OSError):
                    read_frame(sock)
            received = axl.api.receive(wait=1)
            return received and received.body == b"let me in"

        until(passes, "another peer gets in")
        for sock in held:
            sock.close()


if __name__ == "__main__":
    main()
