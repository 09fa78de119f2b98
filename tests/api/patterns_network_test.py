#!/usr/bin/env python3
"""Ten daemons in a random graph, three of which start again: every subscriber gets every message that is published
after it is up, and an aggregate is that of the inputs or says what it lacks."""

import os
import random
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
sys.path.insert(0, os.path.dirname(__file__))
from axl_testing import TestCase, main, until  # noqa: E402
from patterns_support import Subscriber, ask, ask_all, give, publish, wait_for_mesh  # noqa: E402

NODES = 10
EACH = 30


class Reader(threading.Thread):
    """Notes the ids of all that a subscriber gets."""

    def __init__(self, subscriber):
        super().__init__(daemon=True)
        self.subscriber, self.got, self.dropped = subscriber, [], 0
        self.start()

    def run(self):
        try:
            while True:
                kind, data = self.subscriber.next()
                if kind is None:
                    return
                if kind == "message":
                    self.got.append(data["id"])
                else:
                    self.dropped += 1
        except (OSError, ValueError, AttributeError):
            return  # closed under it


class Network(TestCase):
    def setUp(self):
        super().setUp()
        seed = random.SystemRandom().randrange(1 << 32)
        print("seed", seed)
        self.random = random.Random(seed)

    def read(self, node):
        subscriber = Subscriber(node, "news")
        reader = Reader(subscriber)
        self.addCleanup(subscriber.close)
        self.addCleanup(reader.join)
        self.addCleanup(node.close)  # ends the stream, then its reader
        return reader

    def start_graph(self):
        nodes = []
        for _ in range(NODES):
            known = self.random.sample(nodes, min(len(nodes), 2))
            nodes.append(self.axld(peers=[other.uri() for other in known], listen=["tls://127.0.0.1:0"]))
        root = min(node.key for node in nodes)
        for node in nodes:
            node.wait_for_root(root)
        return nodes

    def publish_everywhere(self, nodes, readers):
        ids = [publish(node, "news", f"{node.name} {number}".encode() * 20)["id"] for number in range(EACH) for node in nodes]
        for node, reader in readers.items():
            until(lambda reader=reader: set(ids) <= set(reader.got), f"{node.name} gets every message")
            self.assertEqual(len(reader.got), len(set(reader.got)), f"{node.name}: none comes twice")
            self.assertEqual(reader.dropped, 0)

    def test_every_subscriber_gets_every_message_and_sums_are_those_of_the_inputs(self):
        nodes = self.start_graph()
        values = {node: self.random.randrange(1, 1_000_000) for node in nodes}
        readers = {}
        for node in nodes:
            give(node, "load", value=values[node])
            readers[node] = self.read(node)
        wait_for_mesh(nodes, "news")
        self.publish_everywhere(nodes, readers)
        total = ask_all(nodes[0], "load", NODES, operation="sum", time=5)["groups"][0]
        self.assertEqual((total["count"], total["value"]), (NODES, sum(values.values())))

        again = self.random.sample(nodes, 3)
        others = [node for node in nodes if node not in again]
        for node in again:
            node.kill()
        # Meanwhile an outcome is of those who are there, each once, or none, and never calls itself complete without them.
        answer = ask(others[0], "load", operation="sum", time=1)
        if answer.status == 200:
            self.check_outcome(answer.json(), values)
        for node in again:
            node.start()
            give(node, "load", value=values[node])
            readers[node] = self.read(node)
        root = min(node.key for node in nodes)
        for node in nodes:
            node.wait_for_root(root)
        wait_for_mesh(nodes, "news")
        self.publish_everywhere(nodes, readers)
        outcome = until(lambda: self.whole(others[0], values), "the aggregate is of all again")
        self.assertEqual(outcome["groups"][0]["value"], sum(values.values()))

    def whole(self, node, values):
        answer = ask(node, "load", operation="sum", time=2)
        if answer.status != 200:
            return None
        outcome = answer.json()
        self.check_outcome(outcome, values)
        return outcome if outcome["contributed"] == NODES else None

    def check_outcome(self, outcome, values):
        """Right, or marked partial."""
        if outcome["complete"]:
            self.assertEqual((outcome["contributed"], outcome["groups"][0]["value"]), (NODES, sum(values.values())))
        elif outcome["groups"]:
            self.assertLessEqual(outcome["groups"][0]["value"], sum(values.values()))


if __name__ == "__main__":
    main(namespaces="preferred")
