#!/usr/bin/env python3
"""A peer is killed with -9 in mid-transfer: every send is answered, nothing is answered wrongly, the node goes on."""

import concurrent.futures
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, until  # noqa: E402

PATIENCE = {"send_timeout_secs": 5, "dial_timeout_secs": 5}


class Kill(TestCase):
    def kill_in_mid_transfer(self, sender, receiver):
        """Large messages in parallel until the receiver has read some megabytes; then it dies. Returns the answers."""
        data = os.urandom(8 << 20)
        stop = threading.Event()
        read = []

        def drain():
            while not stop.is_set():
                try:
                    received = receiver.api.receive(wait=1)
                except (OSError, ValueError):  # http.client's complaints about a cut answer are ValueErrors too
                    return
                except Exception:  # pylint: disable=broad-except
                    return
                if received is not None:
                    read.append(received.body == data)

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            drained = [pool.submit(drain) for _ in range(2)]
            sends = [pool.submit(sender.api.send, receiver.key, data, message_id=str(number)) for number in range(16)]
            # Some have arrived, and not all can have.
            until(lambda: read or any(send.done() for send in sends), "the transfer is on its way", interval=0.001)
            receiver.kill()
            stop.set()
            answers = [send.result() for send in sends]
            for result in drained:
                result.result()
        self.assertTrue(all(read), "a message arrived changed")
        return answers

    def check(self, answers):
        for number, answer in enumerate(answers):
            self.assertIn(answer.status, (200, 502, 503, 504), answer)
            self.assertEqual(answer.headers["X-Axl-Message-Id"], str(number))
        self.assertTrue(any(answer.status != 200 for answer in answers), "the peer died too late for this test to say anything")

    def test_a_neighbour(self):
        sender, receiver = self.line(2, settings=PATIENCE)
        self.check(self.kill_in_mid_transfer(sender, receiver))
        receiver.start()
        self.assert_works(sender, receiver)
        self.assert_works(receiver, sender)

    def test_two_hops_away(self):
        sender, transit, receiver = self.line(3, settings=PATIENCE)
        self.check(self.kill_in_mid_transfer(sender, receiver))
        self.assert_works(sender, transit)
        receiver.start()
        self.assert_works(sender, receiver)
        self.assert_works(receiver, sender)

    def test_the_sender(self):
        sender, transit, receiver = self.line(3, settings=PATIENCE)
        data = os.urandom(8 << 20)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            sends = [pool.submit(sender.api.send, receiver.key, data) for _ in range(6)]
            first = receiver.api.receive()
            sender.kill()
            for send in sends:
                send.exception()
        self.assertTrue(first.body == data)
        # Half messages of the dead are no messages.
        while (received := receiver.api.receive(wait=0)) is not None:
            self.assertTrue(received.body == data)
        self.assert_works(transit, receiver)
        sender.start()
        self.assert_works(sender, receiver)

    def test_over_and_over_without_growth(self):
        sender, receiver = self.line(2, settings=PATIENCE)
        files = []
        for _ in range(8):
            receiver.kill()
            receiver.start()
            self.assert_works(sender, receiver)
            files.append(sender.process.open_files())
        self.assertLessEqual(files[-1], files[0] + 4, files)


if __name__ == "__main__":
    main(namespaces="preferred")
