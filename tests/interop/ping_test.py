#!/usr/bin/env python3
"""Round trips that axld measures to stock daemons, and through one."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from axl_testing import TestCase, main  # noqa: E402


class Ping(TestCase):
    def ping(self, node, key):
        answer = node.api.request("POST", f"/peers/{key.hex}/ping")
        self.assertEqual(answer.status, 200, answer)
        self.assertLess(answer.json()["latency_ms"], 10_000)

    def test_a_stock_daemon_answers_and_passes_on(self):
        stock = self.yggdrasil()
        nodes = [self.axld(peers=[stock.uri("tcp")]) for _ in range(2)]
        for node in nodes:
            node.wait_for_peer(stock.key)
            node.wait_for_root(min(stock.key, *(other.key for other in nodes)))
        self.ping(nodes[0], stock.key)
        self.ping(nodes[0], nodes[1].key)
        known = nodes[0].api.get(f"/peers/{nodes[1].key.hex}").json()
        self.assertEqual((known["link"], known["path"]), (False, True))
        self.assertIsNotNone(known["latency_ms"])


if __name__ == "__main__":
    main()
