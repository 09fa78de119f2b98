#!/usr/bin/env python3
"""The transit node is restarted while 1 000 messages are on their way: each is delivered once, or reported."""

import concurrent.futures
import os
import random
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, until  # noqa: E402

COUNT = 1000


class Drain:
    """Reads a node's queue in the background and counts what came by number."""

    def __init__(self, node):
        self.node, self.seen, self.wrong = node, {}, 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        connection = self.node.api.connection()
        while True:
            last_look = self.stopping.is_set()
            received = self.node.api.receive(wait=1, connection=connection)
            if received is not None:
                number = int.from_bytes(received.body[:4], "big")
                self.seen[number] = self.seen.get(number, 0) + 1
                self.wrong += received.body != body(number)
            elif last_look:
                return

    def finish(self):
        """Ends once nothing more has come for a second."""
        self.stopping.set()
        self.thread.join()


def body(number):
    return number.to_bytes(4, "big") + random.Random(number).randbytes(number * 37 % 20_000)


class Transit(TestCase):
    def run_through(self, ending):
        sender, transit, receiver = self.line(3, settings={"send_timeout_secs": 10, "dial_timeout_secs": 10})
        self.assert_works(sender, receiver)
        drain = Drain(receiver)
        answers = {}

        def send(number):
            answers[number] = sender.api.send(receiver.key, body(number), message_id=f"message-{number}")

        try:
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                first = [pool.submit(send, number) for number in range(COUNT)]
                for mark in COUNT // 10, COUNT // 2:
                    until(lambda mark=mark: len(drain.seen) >= mark or len(answers) == COUNT, f"{mark} have arrived", interval=0.001)
                    getattr(transit, ending)()
                    transit.start()
                for result in first:
                    result.result()

            # What was said of each message is true.
            for number, answer in answers.items():
                self.assertIn(answer.status, (200, 502, 503, 504), answer)
                self.assertEqual(answer.headers["X-Axl-Message-Id"], f"message-{number}")
            said_yes = [number for number, answer in answers.items() if answer.status == 200]
            said_no = [number for number, answer in answers.items() if answer.status == 503]
            until(lambda: all(number in drain.seen for number in said_yes), "every message answered 200 is read")
            self.assertEqual([number for number in said_no if number in drain.seen], [], "answered 503, yet queued")
            self.assertEqual({number: count for number, count in drain.seen.items() if count > 1}, {})
            print(f"{ending}: {len(said_yes)} delivered at once, {COUNT - len(said_yes)} reported")

            # And offering the others again under their names delivers each exactly once.
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                def offer(number):
                    def taken():
                        send(number)
                        return answers[number].status == 200

                    until(taken, f"message {number} is taken")

                for result in [pool.submit(offer, number) for number in range(COUNT) if answers[number].status != 200]:
                    result.result()
        finally:
            drain.finish()
        self.assertEqual(drain.wrong, 0)
        self.assertEqual(drain.seen, dict.fromkeys(range(COUNT), 1))

    def test_killed(self):
        self.run_through("kill")

    def test_stopped(self):
        self.run_through("stop")


if __name__ == "__main__":
    main(namespaces="preferred")
