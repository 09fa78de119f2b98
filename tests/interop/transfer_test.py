#!/usr/bin/env python3
"""The main job: files between two axld with the stock node between them, byte for byte."""

import concurrent.futures
import hashlib
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main, make_keys  # noqa: E402


class Transfer(TestCase):
    def setUp(self):
        super().setUp()
        keys = make_keys(3)
        self.stock = self.yggdrasil(key=keys[1])
        self.ends = [self.axld(key=keys[0], peers=[self.stock.uri("tls")]), self.axld(key=keys[2], peers=[self.stock.uri("tcp")])]
        for node in (self.stock, *self.ends):
            node.wait_for_root(keys[0])

    def test_16_mib_both_ways_at_once(self):
        def transfer(sender, receiver):
            data = os.urandom(16 << 20)
            answer = sender.api.send(receiver.key, data)
            self.assertEqual((answer.status, answer.headers["X-Axl-Delivered"]), (200, "1"), answer)
            self.assertEqual(answer.headers["X-Sent-Bytes"], str(len(data)))
            received = receiver.api.receive()
            self.assertEqual(received.headers["X-From-Peer-Id"], sender.key.hex)
            self.assertEqual(hashlib.sha256(received.body).hexdigest(), hashlib.sha256(data).hexdigest())

        with concurrent.futures.ThreadPoolExecutor() as pool:
            for result in [pool.submit(transfer, *self.ends), pool.submit(transfer, *self.ends[::-1])]:
                result.result()

    def test_sequential_messages_keep_their_order_both_ways(self):
        seed = random.randrange(1 << 32)
        print("seed", seed)

        def run(sender, receiver, source):
            messages = [source.randbytes(int(2 ** source.uniform(0, 15))) for _ in range(500)]
            sending, receiving = sender.api.connection(), receiver.api.connection()
            with concurrent.futures.ThreadPoolExecutor() as pool:
                drained = pool.submit(lambda: [receiver.api.receive(connection=receiving).body for _ in messages])
                for message in messages:
                    self.assertEqual(sender.api.send(receiver.key, message, connection=sending).status, 200)
                self.assertTrue(drained.result() == messages, "a message is changed, missing or out of order")
            sending.close()
            receiving.close()

        with concurrent.futures.ThreadPoolExecutor() as pool:
            for result in [pool.submit(run, *self.ends, random.Random(seed)), pool.submit(run, *self.ends[::-1], random.Random(seed + 1))]:
                result.result()


if __name__ == "__main__":
    main()
