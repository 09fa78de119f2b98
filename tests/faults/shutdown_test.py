#!/usr/bin/env python3
"""SIGTERM and SIGINT: no new work, what is under way is finished, the loss of queued messages is said, exit 0."""

import concurrent.futures
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, until  # noqa: E402


class Shutdown(TestCase):
    def test_it_ends_with_0_and_says_what_is_lost(self):
        for number in signal.SIGTERM, signal.SIGINT:
            with self.subTest(signal=number):
                sender, receiver = self.line(2)
                for text in b"one", b"two", b"three":
                    self.assertEqual(sender.api.send(receiver.key, text).status, 200)
                receiver.process.signal(number)
                self.assertEqual(receiver.process.join(), 0)
                self.assertTrue(receiver.process.find(r"\b3\b.*message"), receiver.process.tail())
                # Its peers see a link that ends, not one that falls silent.
                until(lambda: not any(peer["up"] for peer in sender.api.topology()["peers"]), "the peer sees the link end")
                sender.stop()

    def test_a_request_under_way_is_finished(self):
        _, receiver = self.line(2)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            polls = [pool.submit(receiver.api.receive, 60) for _ in range(5)]
            until(lambda: receiver.process.open_files() and receiver.api.get("/topology").status == 200, "the API is busy")
            receiver.process.signal(signal.SIGTERM)
            self.assertEqual(receiver.process.join(), 0)
            for poll in polls:
                poll.exception()  # an empty answer, or a closed connection; not a wait for a minute

    def test_a_transfer_under_way_is_finished_or_reported(self):
        sender, receiver = self.line(2)
        body = os.urandom(16 << 20)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            sends = [pool.submit(sender.api.send, receiver.key, body) for _ in range(3)]
            until(lambda: receiver.api.request("HEAD", "/recv").status == 200, "the first has arrived", interval=0.001)
            sender.process.signal(signal.SIGTERM)
            self.assertEqual(sender.process.join(), 0)
            answered = sum(send.exception() is None and send.result().status == 200 for send in sends)
        count = 0
        while (received := receiver.api.receive(wait=0)) is not None:
            self.assertTrue(received.body == body)
            count += 1
        self.assertGreaterEqual(count, answered)

    def test_a_client_that_never_finishes_does_not_hold_it_up(self):
        _, receiver = self.line(2)
        with socket.create_connection(("127.0.0.1", receiver.api.port)) as sock:
            sock.sendall(f"POST /send HTTP/1.1\r\nHost: 127.0.0.1:{receiver.api.port}\r\nContent-Length: 1000\r\n\r\n".encode())
            receiver.process.signal(signal.SIGTERM)
            self.assertEqual(receiver.process.join(), 0)


if __name__ == "__main__":
    main(namespaces="preferred")
